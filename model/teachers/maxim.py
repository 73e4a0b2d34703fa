"""A MAXIM network (Tu et al., CVPR 2022) from its npm package, on photos: a program of its own.

It runs under a Python that has TensorFlow, which this project's environment has not, and so it imports
nothing of the project: ``anyir teach`` starts it and talks with it. ``python maxim.py FOLDER`` says
``{"ready": ...}`` when the network is loaded, reads a line of JSON for each photo, ``{"input": ...,
"output": ...}``, both PNG files, and answers with one, ``{"seconds": ...}`` or ``{"error": ...}``.

The package holds a TensorFlow.js graph: its operators in ``model.json``, its constants in files beside it.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

SIDE = 64
"""Sides that the network takes are multiples of this; others are filled up by reflection."""


def read_constants(folder: Path, manifest: list[dict[str, Any]]) -> dict[str, Any]:
    """Name -> array: float32 but for whole numbers and truth values; what is quantized is undone."""
    import numpy as np

    types = {"float32": "<f4", "int32": "<i4", "bool": "?"}
    constants = {}
    for group in manifest:
        data = b"".join((folder / part).read_bytes() for part in group["paths"])
        start = 0
        for entry in group["weights"]:
            packed = entry.get("quantization")
            kind = np.dtype(packed["dtype"] if packed else types[entry["dtype"]])
            count = int(np.prod(entry["shape"], dtype=np.int64))
            values = np.frombuffer(data, kind, count, start)
            start += count * kind.itemsize
            if packed and "scale" in packed:
                values = values.astype(np.float32) * packed["scale"] + packed["min"]
            constants[entry["name"]] = values.astype(types[entry["dtype"]]).reshape(entry["shape"])
    return constants


def load(folder: Path) -> Any:
    """The graph as a function: (1, H, W, 3) float32 in 0..1 -> the same."""
    import tensorflow as tf
    from google.protobuf import json_format

    described = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    topology = described["modelTopology"]
    for node in topology["node"]:
        if node["op"] == "Const":  # in the files beside
            node["attr"].pop("value", None)
    graph = json_format.ParseDict(topology, tf.compat.v1.GraphDef(), ignore_unknown_fields=True)
    constants = read_constants(folder, described["weightsManifest"])
    for node in graph.node:
        if node.op == "Const" and node.name in constants:
            kind = tf.dtypes.as_dtype(node.attr["dtype"].type).as_numpy_dtype
            proto = tf.make_tensor_proto(constants[node.name].astype(kind))
            node.attr["value"].tensor.CopyFrom(proto)
    signature = described["signature"]
    source = next(iter(signature["inputs"].values()))["name"]
    result = list(signature["outputs"].values())[-1][
        "name"
    ]  # it answers in several sizes, the whole one last
    with tf.Graph().as_default() as whole:  # as a function it would take minutes to copy
        tf.graph_util.import_graph_def(graph, name="")
    session = tf.compat.v1.Session(graph=whole)
    return lambda image: session.run(result, {source: image})


def restore(function: Any, source: Path, target: Path) -> None:
    """Run it on one photo, read and written as PNG."""
    import numpy as np
    from PIL import Image

    with Image.open(source) as image:
        pixels = np.asarray(image.convert("RGB"), np.float32) / 255
    height, width = pixels.shape[:2]
    padding = ((0, -height % SIDE), (0, -width % SIDE), (0, 0))
    restored = np.clip(function(np.pad(pixels, padding, "reflect")[None])[0, :height, :width], 0, 1)
    beside = target.with_name(f".{target.name}")
    Image.fromarray((restored * 255).round().astype(np.uint8)).save(beside, "PNG")
    os.replace(beside, target)


def main(folder: Path) -> None:
    """Answer a line on the standard output for each on the standard input, until that ends."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    function = load(folder)
    print(json.dumps({"ready": folder.name}), flush=True)
    for line in sys.stdin:
        job = json.loads(line)
        start = time.perf_counter()
        try:
            restore(function, Path(job["input"]), Path(job["output"]))
            said: dict[str, Any] = {"seconds": round(time.perf_counter() - start, 2)}
        except Exception as error:  # one photo's trouble is not the others'
            said = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
