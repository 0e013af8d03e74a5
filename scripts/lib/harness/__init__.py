# SPDX-License-Identifier: GPL-2.0-only
"""The virtual machine runner and the kernels it boots."""
