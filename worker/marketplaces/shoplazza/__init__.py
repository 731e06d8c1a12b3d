"""Shoplazza: creates orders in a shop through POST /orders and reads them back, in every supported API version."""
