"""How gunicorn serves Django REST Framework: as many processes and threads as the register has."""

workers = 2
threads = 4
control_socket_disable = True
loglevel = "warning"
