"""The bench: ours beside the job systems a user would pick instead, and beside a bare loop; see docs/benchmarks.md."""
