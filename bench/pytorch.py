"""PyTorch's side of the benchmark: reads one JSON request a line, answers one JSON line.

{"threads"} answers {"version"}. {"loss", "options", "student", "teacher", "labels", "compile"} readies a loss of losses.py and answers
{"id", "loss"}, or {"failed"} where torch.compile cannot do it; matrices are {"data": base64, "dtype", "shape"}.
{"id", "repetitions"} repeats its step `repetitions` times and answers {"milliseconds"}. {"drop": id} forgets it.
With --cold: prints the milliseconds from the import to the first gradient of 64 × 1000 logits.
"""

import base64
import ctypes
import ctypes.util
import json
import logging
import os
import re
import sys
import time

START = time.perf_counter()

import torch

import losses

#: Note of a measurement whose first compilation failed.
WITHOUT_FUSION = "without fusion of outer loops, with which the compiler fails"


def tensor(matrix):
    if matrix is None:
        return None
    data = bytearray(base64.b64decode(matrix["data"]))
    values = torch.frombuffer(data, dtype=getattr(torch, matrix["dtype"])).reshape(matrix["shape"])
    return values.long() if matrix["dtype"] == "int32" else values


def step(loss, student, *others):
    student = student.detach().requires_grad_(True)
    value = loss(student, *others)
    value.backward()
    return value


def start_compiler():
    """Inductor writes vector code only if it can link Sleef, which distributions ship as a library of its own."""
    sleef = ctypes.util.find_library("sleef")
    if sleef and "LD_PRELOAD" not in os.environ:
        ctypes.CDLL(sleef, mode=ctypes.RTLD_GLOBAL)
        os.environ["LD_PRELOAD"] = sleef  # for the compiler's trial in a process of its own
    logging.disable(logging.CRITICAL)
    from torch._functorch import config as autograd
    from torch._inductor import config
    from torch._inductor.cpu_vec_isa import pick_vec_isa

    # The key of a cached graph does not depend on whether its loops were fused.
    config.fx_graph_cache = False
    autograd.enable_autograd_cache = False

    return f"torch.compile for {str(pick_vec_isa()) or 'no vector unit (libsleef-dev is missing)'}"


def compiled(loss, inputs):
    """The compiled loss, its value and a note."""
    from torch._inductor.codegen.cpp import CppScheduling

    fusion = CppScheduling.can_fuse_vertical_outer_loop
    try:
        for note in (None, WITHOUT_FUSION):
            if note:
                CppScheduling.can_fuse_vertical_outer_loop = lambda *_: False
            torch._dynamo.reset()
            try:
                fast = torch.compile(loss, dynamic=False)
                return {"step": fast, "loss": step(fast, *inputs).item(), "note": note}
            except Exception as error:  # of many kinds, from all of the compiler's layers
                failure = f"{type(error).__name__}: {error}".split("\n")[0]
        return {"failed": failure}
    finally:
        CppScheduling.can_fuse_vertical_outer_loop = fusion


def version():
    """Version of PyTorch, and its matrix library, found among the libraries that a product has loaded."""
    torch.ones(64, 64) @ torch.ones(64, 64)
    blas = "an unknown BLAS"
    if torch.backends.mkl.is_available():
        blas = "MKL"
    else:
        try:
            with open("/proc/self/maps") as loaded:
                libraries = set(re.findall(r"/\S*blas\S*", loaded.read()))
        except OSError:
            libraries = set()
        if any("openblas" in library for library in libraries):
            blas = "OpenBLAS"
        elif any("/blas/" in library for library in libraries):
            blas = "the reference BLAS"
    return f"PyTorch {torch.__version__.split('+')[0]} with {blas}"


def cold():
    options = {"temperature": 3, "alpha": 0.3}
    step(losses.response, torch.randn(64, 1000), torch.randn(64, 1000), torch.arange(64), options)
    print(1e3 * (time.perf_counter() - START))


def prepare(request):
    loss = getattr(losses, request["loss"])
    inputs = [*(tensor(request[name]) for name in ("student", "teacher", "labels")), request["options"]]
    ready = compiled(loss, inputs) if request["compile"] else {"step": loss, "loss": step(loss, *inputs).item()}
    return ready.pop("step", None), inputs, ready


def main():
    ready = {}
    for line in sys.stdin:
        request = json.loads(line)
        if "repetitions" in request:
            loss, inputs = ready[request["id"]]
            start = time.perf_counter()
            for _ in range(request["repetitions"]):
                step(loss, *inputs)
            answer = {"milliseconds": 1e3 * (time.perf_counter() - start)}
        elif "loss" in request:
            loss, inputs, answer = prepare(request)
            identity = max(ready, default=0) + 1
            ready[identity] = loss, inputs
            answer["id"] = identity
        elif "drop" in request:
            del ready[request["drop"]]
            answer = {}
        elif "compiler" in request:
            answer = {"version": start_compiler()}
        else:
            torch.set_num_threads(request["threads"])
            answer = {"version": version()}
        print(json.dumps(answer), flush=True)


cold() if "--cold" in sys.argv else main()
