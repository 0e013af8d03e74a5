# SPDX-License-Identifier: GPL-2.0-only
"""The check: stages, their results, and the sum."""
