"""Labels documents on a Dask cluster, with a server of vLLM's protocol.

    python3 cluster.py documents.jsonl labels --teacher http://127.0.0.1:8000

`documents.jsonl` has a document a line, {"key": …, "tokens": [ids]}. Each part of the documents
becomes a file in `labels` that has a row of the student a line, in the columns of a teacher store:
key, position, token, label, indices, log_probabilities. Started again, it does the parts that are
missing. Needs Python 3.9, dask, distributed and pandas.
"""

import argparse
import http.client
import json
import os
import random
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import dask.dataframe
import pandas
from distributed import Client, LocalCluster

ATTEMPTS = 6
TIMEOUT = 60  # seconds


def post(url, body):
    """Sends a request, and repeats it if the server or the connection fails."""
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    for attempt in range(1, ATTEMPTS + 1):
        wait = random.uniform(0, 0.5 * 2 ** (attempt - 1))
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            if error.code not in (408, 429) and error.code < 500:
                raise RuntimeError(f"{url}: {error.code}, {error.read()[:200]!r}") from error
            last, header = error, error.headers.get("Retry-After", "")
            wait = float(header) if header.isdigit() else wait
        except (OSError, http.client.HTTPException, ValueError) as error:
            last = error
        if attempt < ATTEMPTS:
            time.sleep(wait)
    raise RuntimeError(f"{url}: {last}, in the last of {ATTEMPTS} tries")


def rows_of(document, teacher, model, k):
    """The rows of a document: the current token, the next token, and the teacher's log-probabilities."""
    tokens = [int(token) for token in document.tokens]
    body = {
        "model": model,
        "prompt": tokens,
        "max_tokens": 1,
        "prompt_logprobs": k,
        "return_token_ids": True,
    }
    choice = post(f"{teacher}/v1/completions", body)["choices"][0]
    if choice["prompt_token_ids"] != tokens:
        raise RuntimeError(f"{document.key}: the server read other tokens than it was sent")
    # Element i scores token i, which row i - 1 of the student predicts; the first element is null.
    for position, entry in enumerate(choice["prompt_logprobs"][1:]):
        scored = sorted(
            ((value["logprob"], value["rank"], int(token)) for token, value in entry.items()),
            key=lambda scored: (-scored[0], scored[1]),
        )
        kept = [(token, logprob) for logprob, rank, token in scored if rank <= k]
        yield {
            "key": document.key,
            "position": position,
            "token": tokens[position],
            "label": tokens[position + 1],
            "indices": [token for token, _ in kept],
            "log_probabilities": [logprob for _, logprob in kept],
        }


def label_part(part, folder, teacher, model, k, partition_info=None):
    """Labels a part into a file that is written completely or not at all."""
    number = partition_info["number"] if partition_info else 0
    path = os.path.join(folder, f"part-{number:05d}.jsonl")
    if len(part) > 0 and not os.path.exists(path):
        with ThreadPoolExecutor(4) as threads:
            documents = threads.map(
                lambda document: list(rows_of(document, teacher, model, k)), part.itertuples()
            )
            lines = [json.dumps(row) + "\n" for rows in documents for row in rows]
        with open(f"{path}.partial", "w", encoding="utf-8") as file:
            file.writelines(lines)
            file.flush()
            os.fsync(file.fileno())
        os.replace(f"{path}.partial", path)
    return pandas.DataFrame({"path": [path], "documents": [len(part)]})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("documents")
    parser.add_argument("labels")
    parser.add_argument("--teacher", default="http://127.0.0.1:8000")
    parser.add_argument("--k", type=int, default=20)
    parser.add_argument("--parts", type=int, default=16)
    parser.add_argument("--scheduler", help="tcp://… of a cluster; without, workers on this machine")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()

    os.makedirs(options.labels, exist_ok=True)
    folder = os.path.abspath(options.labels)
    with urllib.request.urlopen(f"{options.teacher}/v1/models", timeout=TIMEOUT) as response:
        model = json.load(response)["data"][0]["id"]
    cluster = options.scheduler or LocalCluster(
        n_workers=options.workers, threads_per_worker=1, dashboard_address=None
    )
    with Client(cluster) as client:
        documents = dask.dataframe.from_pandas(
            pandas.read_json(options.documents, lines=True), npartitions=options.parts, sort=False
        )
        parts = documents.map_partitions(
            label_part,
            folder,
            options.teacher,
            model,
            options.k,
            meta={"path": "object", "documents": "int64"},
        )
        done = client.compute(parts, retries=3).result()
    if not options.scheduler:
        cluster.close()
    print(f"{done.documents.sum()} documents of {model} in {len(done)} parts, in {folder}")


if __name__ == "__main__":
    main()
