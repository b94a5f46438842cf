"""Who runs the tasks: this process, local processes, a Dask cluster."""
