def run(job): pass
