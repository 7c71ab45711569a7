"""The edition that runs in the browser, without an installation: lessons 02 to 05 in JupyterLite, `make lite`."""
