"""AliExpress DS: places dropshipping orders through aliexpress.ds.order.create and reads them back."""
