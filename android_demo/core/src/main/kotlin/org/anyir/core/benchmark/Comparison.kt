package org.anyir.core.benchmark

import com.google.gson.JsonNull
import com.google.gson.JsonObject
import com.google.gson.JsonPrimitive
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.FloatBuffer
import java.security.MessageDigest
import kotlin.math.abs
import kotlin.math.log10

/** A program's outputs hold NaN or infinity. The message is one sentence for the user. */
class NotFiniteException(message: String) : Exception(message)

/** What equal images count as in a mean, in dB; the same as model/metrics.py's. */
private const val EQUAL = 100.0

/**
 * A program's outputs against the reference's and the truth, gathered one tile at a time; the same figures as
 * profiling/quality.py's, but for SSIM, which the host alone computes.
 *
 * @param tile side in pixels
 */
class Comparison(tile: Int) {
    private class Kind {
        var squares = 0.0
        var values = 0L
        var maxError = 0f
        val truthPsnrs = ArrayList<Double>()
    }

    private val size = 3 * tile * tile
    private val kinds = LinkedHashMap<String, Kind>()
    private val digest = MessageDigest.getInstance("SHA-256")
    private val bytes = ByteBuffer.allocate(4 * size).order(ByteOrder.LITTLE_ENDIAN)

    /**
     * Adds one tile; cases come in the reference's order.
     *
     * @param made the program's output, not clamped
     * @param expected the network's
     * @param truth in 0..1
     * @throws NotFiniteException NaN or infinity in [made]
     */
    fun add(kind: String, made: FloatBuffer, expected: FloatBuffer, truth: FloatBuffer) {
        val entry = kinds.getOrPut(kind) { Kind() }
        var toTruth = 0.0
        bytes.clear()
        for (i in 0 until size) {
            val value = made.get(i)
            if (value.isNaN() || value.isInfinite()) throw NotFiniteException("returns NaN or infinity for $kind")
            bytes.putFloat(value)
            entry.maxError = maxOf(entry.maxError, abs(value - expected.get(i)))
            val clipped = value.coerceIn(0f, 1f)
            val difference = (clipped - expected.get(i).coerceIn(0f, 1f)).toDouble()
            entry.squares += difference * difference
            val error = (clipped - truth.get(i)).toDouble()
            toTruth += error * error
        }
        entry.values += size
        entry.truthPsnrs += psnr(toTruth / size)
        digest.update(bytes.array())
    }

    /** Hex sha256 of all outputs, as little-endian float32 in the order of the cases. Ends the gathering. */
    fun outputSha256(): String = hex(digest.digest())

    /** The entry `quality` of a row. */
    fun quality(): JsonObject = JsonObject().apply {
        for ((kind, entry) in kinds) {
            add(
                kind,
                JsonObject().apply {
                    add("psnr_reference", finite(psnr(entry.squares / entry.values)))
                    add("ssim_reference", JsonNull.INSTANCE)
                    addProperty("max_error_reference", entry.maxError.toDouble())
                    add("psnr_truth", finite(mean(entry.truthPsnrs)))
                    add("ssim_truth", JsonNull.INSTANCE)
                    add("picture", JsonNull.INSTANCE)
                },
            )
        }
    }

    /** Over tiles, of which equal ones count as [EQUAL]; infinite if all are. */
    private fun mean(psnrs: List<Double>) =
        if (psnrs.all { it.isInfinite() }) Double.POSITIVE_INFINITY else psnrs.map { minOf(it, EQUAL) }.average()

    private fun finite(value: Double) = if (value.isInfinite()) JsonNull.INSTANCE else JsonPrimitive(value)
}

/** In dB for values in 0..1; infinite for no error. */
fun psnr(meanSquare: Double): Double = if (meanSquare > 0) 10 * log10(1 / meanSquare) else Double.POSITIVE_INFINITY
