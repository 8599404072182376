"""`make airflow` and `make airflow-celery`: examples/airflow/ at work, its rows held against control totals."""
