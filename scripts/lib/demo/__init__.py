# SPDX-License-Identifier: GPL-2.0-only
"""The demo: its input and what must come of it."""
