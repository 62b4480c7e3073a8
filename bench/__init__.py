"""What the register costs, measured from outside its processes.

Figures are ratios within one run, of variants that take turns, since machines differ and are shared. Absolute
numbers are printed beside them for whoever runs it on a quiet machine.
"""
