# SPDX-License-Identifier: GPL-2.0-only
"""A peripheral at a serial line, for tests: how it is described, and how it speaks."""
