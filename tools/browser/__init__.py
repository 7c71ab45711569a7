"""Widgets in a real browser, alone in a page or in JupyterLab: for tests and benchmarks."""
