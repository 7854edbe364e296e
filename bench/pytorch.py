"""PyTorch's side of the benchmark: reads one JSON request a line, answers one JSON line.

{"rows", "columns", "dtype", "threads"} readies the problem of problem.ts and answers {"loss", "version"};
{"repetitions"} takes the step so many times and answers {"milliseconds"}. With --cold: prints the milliseconds from the
import to the first gradient of 64 × 1000 logits.
"""

import json
import sys
import time

START = time.perf_counter()

import torch
import torch.nn.functional as functional

TEMPERATURE = 3.0
ALPHA = 0.3


def make_problem(rows, columns, dtype):
    index = torch.arange(rows * columns, dtype=torch.float64)

    def logits(phase):
        return (3 * torch.sin(12.9898 * index + phase)).reshape(rows, columns).to(dtype)

    labels = (7 * torch.arange(rows)) % columns
    return logits(0.5), logits(2.0), labels


def step(student, teacher, labels):
    student = student.detach().requires_grad_(True)
    log_p = functional.log_softmax(teacher / TEMPERATURE, dim=1)
    log_q = functional.log_softmax(student / TEMPERATURE, dim=1)
    soft = functional.kl_div(log_q, log_p, reduction="batchmean", log_target=True)
    hard = functional.cross_entropy(student, labels)
    loss = ALPHA * hard + (1 - ALPHA) * TEMPERATURE**2 * soft
    loss.backward()
    return loss


def cold():
    step(*make_problem(64, 1000, torch.float32))
    print(1e3 * (time.perf_counter() - START))


def main():
    problem = None
    for line in sys.stdin:
        request = json.loads(line)
        if "rows" in request:
            torch.set_num_threads(request["threads"])
            dtype = getattr(torch, request["dtype"])
            problem = make_problem(request["rows"], request["columns"], dtype)
            answer = {"loss": step(*problem).item(), "version": torch.__version__}
        else:
            start = time.perf_counter()
            for _ in range(request["repetitions"]):
                step(*problem)
            answer = {"milliseconds": 1e3 * (time.perf_counter() - start)}
        print(json.dumps(answer), flush=True)


cold() if "--cold" in sys.argv else main()
