"""PyTorch's side of the benchmark: reads one JSON request a line, answers one JSON line.

{"threads"} answers {"version"}; {"loss", "rows", "columns", "dtype", "threads"} readies a problem of problem.ts or relations.ts and
answers {"loss"}; {"repetitions"} takes its step so many times and answers {"milliseconds"}. With --cold: prints the milliseconds from
the import to the first gradient of 64 × 1000 logits.
"""

import json
import re
import sys
import time

START = time.perf_counter()

import torch
import torch.nn.functional as functional

TEMPERATURE = 3.0
ALPHA = 0.3


def logits(rows, columns, dtype):
    index = torch.arange(rows * columns, dtype=torch.float64)

    def values(phase):
        return (3 * torch.sin(12.9898 * index + phase)).reshape(rows, columns).to(dtype)

    labels = (7 * torch.arange(rows)) % columns
    return values(0.5), values(2.0), labels


def features(rows, columns, dtype):
    index = torch.arange(rows * columns, dtype=torch.float64)

    def values(phase):
        value = 43758.5453 * torch.sin(12.9898 * index + phase)
        return (2 * (value - value.floor()) - 1).reshape(rows, columns).to(dtype)

    return values(0.5), values(2.0)


def response(student, teacher, labels):
    log_p = functional.log_softmax(teacher / TEMPERATURE, dim=1)
    log_q = functional.log_softmax(student / TEMPERATURE, dim=1)
    soft = functional.kl_div(log_q, log_p, reduction="batchmean", log_target=True)
    hard = functional.cross_entropy(student, labels)
    return ALPHA * hard + (1 - ALPHA) * TEMPERATURE**2 * soft


def relative_distances(x):
    """Distances of all rows from each other, in units of their mean; a floor keeps their derivative finite."""
    squares = x.pow(2).sum(dim=1)
    distances = (squares[:, None] + squares - 2 * (x @ x.t())).clamp(min=1e-12).sqrt()
    distances = distances * (1 - torch.eye(len(x), dtype=x.dtype))
    return distances * (len(x) * (len(x) - 1)) / distances.sum()


def distance(student, teacher):
    with torch.no_grad():
        target = relative_distances(teacher)
    return functional.smooth_l1_loss(relative_distances(student), target)


def similarity(student, teacher):
    with torch.no_grad():
        target = functional.normalize(teacher @ teacher.t())
    return functional.mse_loss(functional.normalize(student @ student.t()), target)


LOSSES = {"response": (response, logits), "distance": (distance, features), "similarity": (similarity, features)}


def step(loss, student, *others):
    student = student.detach().requires_grad_(True)
    value = loss(student, *others)
    value.backward()
    return value


def version():
    """PyTorch's, and who multiplies matrices for it: seen by what a product has loaded."""
    torch.ones(64, 64) @ torch.ones(64, 64)
    blas = "an unknown BLAS"
    if torch.backends.mkl.is_available():
        blas = "MKL"
    else:
        try:
            with open("/proc/self/maps") as maps:
                libraries = set(re.findall(r"/\S*blas\S*", maps.read()))
        except OSError:
            libraries = set()
        if any("openblas" in library for library in libraries):
            blas = "OpenBLAS"
        elif any("/blas/" in library for library in libraries):
            blas = "the reference BLAS"
    return f"PyTorch {torch.__version__.split('+')[0]} with {blas}"


def cold():
    step(response, *logits(64, 1000, torch.float32))
    print(1e3 * (time.perf_counter() - START))


def main():
    problem = None
    for line in sys.stdin:
        request = json.loads(line)
        if "repetitions" in request:
            start = time.perf_counter()
            for _ in range(request["repetitions"]):
                step(*problem)
            answer = {"milliseconds": 1e3 * (time.perf_counter() - start)}
        elif "loss" in request:
            loss, inputs = LOSSES[request["loss"]]
            problem = loss, *inputs(request["rows"], request["columns"], getattr(torch, request["dtype"]))
            answer = {"loss": step(*problem).item()}
        else:
            torch.set_num_threads(request["threads"])
            answer = {"version": version()}
        print(json.dumps(answer), flush=True)


cold() if "--cold" in sys.argv else main()
