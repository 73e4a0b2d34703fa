package org.anyir.demo.ui

import java.io.File
import java.security.MessageDigest

/** A model's file and its manifest, as the model store takes them; what is in the file only a test engine opens. */
fun testModelFiles(
    folder: File,
    name: String = "test_litert_cpu_fp16_64x64",
    tile: Int = 64,
    precision: String = "fp16",
): List<File> {
    folder.mkdirs()
    val file = File(folder, "$name.tflite").apply { writeText("no real program: $name") }
    val sha256 = MessageDigest.getInstance("SHA-256").digest(file.readBytes()).joinToString("") { "%02x".format(it) }
    fun tensor(name: String) =
        """{"name": "$name", "shape": [1, 3, $tile, $tile], "dtype": "float32", "layout": "NCHW", "range": [0, 1]}"""
    val manifest = File(folder, "$name.json").apply {
        writeText(
            """
            {"schema_version": 1, "name": "$name", "file": "${file.name}", "sha256": "$sha256",
             "bytes": ${file.length()},
             "source": {"file": "tiny.safetensors", "sha256": "$sha256", "preset": "tiny", "config": {}},
             "runtime": "litert", "backend": "cpu", "precision": "$precision", "target": null, "tile": $tile,
             "inputs": [${tensor("image")}], "outputs": [${tensor("restored")}], "quantization": null,
             "operators": {"total": 1, "delegated": 1, "partitions": 1},
             "parity": {"status": "not measured", "reason": "a test", "bounds": {}, "stages": [], "degradations": [],
                        "samples": []},
             "versions": {}, "code_sha256": "$sha256", "seconds": 0.1}
            """.trimIndent(),
        )
    }
    return listOf(file, manifest)
}
