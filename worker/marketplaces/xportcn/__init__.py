"""Xportcn KA, a gateway to 1688: preview, order create, order list, order detail."""
