package org.anyir.core.benchmark

import com.google.gson.JsonArray
import com.google.gson.JsonObject
import com.google.gson.JsonParser
import java.io.ByteArrayInputStream
import java.io.FileNotFoundException
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.security.MessageDigest
import kotlin.random.Random

const val HASH = "0000000000000000000000000000000000000000000000000000000000000000"

/** A reference of four 8x8 tiles whose network returns its input: what `anyir android stage` would write of it. */
class SmallReference(private val side: Int = 8) {
    val files = HashMap<String, ByteArray>()

    init {
        val random = Random(0)
        val inputs = List(4) { random.nextBytes(3 * side * side) }
        val truths = listOf(inputs[2], inputs[3])
        val outputs = inputs.map { input ->
            val bytes = ByteBuffer.allocate(4 * input.size).order(ByteOrder.LITTLE_ENDIAN)
            input.forEach { bytes.putFloat((it.toInt() and 255) / 255f) }
            bytes.array()
        }
        files["inputs.u8"] = inputs.reduce(ByteArray::plus)
        files["truths.u8"] = truths.reduce(ByteArray::plus)
        files["outputs.f32"] = outputs.reduce(ByteArray::plus)
        val index = JsonObject().apply {
            addProperty("schema", 1)
            addProperty("tile", side)
            add(
                "cases",
                JsonArray().apply {
                    for (i in 0 until 4) {
                        add(
                            JsonObject().apply {
                                addProperty("kind", if (i < 2) "noise" else "clean")
                                addProperty("photo", "photo${i % 2}")
                                addProperty("truth", i % 2)
                                addProperty("input_sha256", sha256(inputs[i]))
                                addProperty("truth_sha256", sha256(truths[i % 2]))
                                addProperty("output_sha256", sha256(outputs[i]))
                            },
                        )
                    }
                },
            )
            add("summary", JsonParser.parseString(SUMMARY))
        }
        files["reference.json"] = index.toString().toByteArray()
    }

    fun open() = ReferenceTiles { name -> ByteArrayInputStream(files[name] ?: throw FileNotFoundException(name)) }

    private fun sha256(bytes: ByteArray) = hex(MessageDigest.getInstance("SHA-256").digest(bytes))

    private companion object {
        const val INPUT = """{"tiles": 2, "psnr_truth": 20.0, "ssim_truth": 0.5, "degraded": null, "truth": null}"""
        const val SUMMARY = """{"weights": "small", "weights_sha256": "$HASH", "preset": "tiny", "notes": {},
            "accelerator": "PyTorch CPU", "torch": "2.13.0", "tile": 8, "cases_sha256": "$HASH",
            "inputs": {"noise": $INPUT, "clean": $INPUT}}"""
    }
}
