# SPDX-License-Identifier: GPL-2.0-only
"""How much of the modules the tests reach."""
