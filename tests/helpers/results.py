"""Results documents that tests change and then read, print or draw."""

HASH = "0" * 64
SAMPLES = [4.0, 1.0, 3.0, 2.0]


def ok_row(name="tiny_litert_cpu_fp32_64x64", p50=2.5):
    factor = p50 / 2.5
    quality = {
        "psnr_reference": 120.0,
        "ssim_reference": 1.0,
        "max_error_reference": 1e-6,
        "psnr_truth": 30.0,
        "ssim_truth": 0.9,
        "picture": f"pictures/{name}.noise.webp",
        "need": {"change": 9.5, "brightness": 0.2, "contrast": 0.1, "detail": -3.0},
    }
    return {
        "status": "ok",
        "error": None,
        "name": name,
        "engine": None,
        "artifact": {"name": f"{name}.tflite", "sha256": HASH, "bytes": 10},
        "preset": "tiny",
        "runtime": "litert",
        "runtime_version": "2.3.0",
        "backend": "cpu",
        "precision": "fp32",
        "tile": 64,
        "restore_size": None,
        "device": "a processor",
        "os": "a system",
        "accelerator": "LiteRT CPU (XNNPACK)",
        "threads": 2,
        "delegated": 9,
        "operators": 10,
        "partitions": 1,
        "load_ms": 1.0,
        "load_again_ms": None,
        "first_run_ms": 2.0,
        "latency": latency(factor),
        "look": {
            "delegated": 19,
            "operators": 20,
            "partitions": 1,
            "first_run_ms": 4.0,
            "latency": latency(1.5 * factor),
        },
        "peak_memory_bytes": 1,
        "pss_bytes": None,
        "output_sha256": HASH,
        "quality": {"noise": quality, "clean": {**quality, "psnr_reference": None, "psnr_truth": None}},
        "conditions": None,
        "sustained": None,
    }


def latency(factor):
    return {
        "warmups": 1,
        "n": 4,
        "p50_ms": 2.5 * factor,
        "p90_ms": 3.7 * factor,
        "p99_ms": 3.97 * factor,
        "samples_ms": [s * factor for s in SAMPLES],
        "split": None,
    }


def missing_row(status):
    figures = (
        *("accelerator", "load_ms", "first_run_ms", "latency", "look"),
        *("peak_memory_bytes", "output_sha256"),
    )
    row = {**ok_row(f"a_{status}_program"), **dict.fromkeys(figures), "quality": {}}
    return {**row, "status": status, "error": "there is a reason", "delegated": None, "partitions": None}


def document():
    entry = {"tiles": 3, "psnr_truth": 20.0, "ssim_truth": 0.5, "degraded": None, "truth": None}
    return {
        "schema": 3,
        "environment": {
            "kind": "host",
            "created": "2026-01-01T00:00:00+00:00",
            "device": "a processor",
            "cores": 2,
            "memory_bytes": 1,
            "os": "a system",
            "python": "3.11.0",
            "packages": {"torch": "2.13.0"},
        },
        "reference": {
            "weights": "tiny",
            "weights_sha256": HASH,
            "preset": "tiny",
            "notes": {"steps": 0},
            "accelerator": "PyTorch CPU",
            "torch": "2.13.0",
            "tile": 64,
            "restore_size": None,
            "cases_sha256": HASH,
            "inputs": {"noise": entry, "clean": {**entry, "psnr_truth": None, "ssim_truth": 1.0}},
        },
        "rows": [ok_row(), missing_row("failed"), missing_row("unsupported")],
    }
