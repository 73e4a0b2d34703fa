package org.anyir.core.benchmark

import com.google.gson.JsonObject
import com.google.gson.JsonParser
import java.io.BufferedInputStream
import java.io.Closeable
import java.io.EOFException
import java.io.FileNotFoundException
import java.io.IOException
import java.io.InputStream
import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.FloatBuffer
import java.security.MessageDigest

/** The reference tiles cannot be used. The message is one sentence for the user. */
class ReferenceException(message: String) : Exception(message)

/** One tile of the set: its degradation, and the place of its truth among the distinct ones. */
class ReferenceCase(
    val kind: String,
    val truth: Int,
    val inputSha256: String,
    val truthSha256: String,
    val outputSha256: String,
)

/**
 * The fixed tiles that every program is compared on, as `anyir android stage` writes them.
 *
 * Inputs and truths are kept as bytes; what the network made of them is read from its file one tile at a time.
 * Every tile is checked against its sha256.
 *
 * @param open one of the set's files by its name; throws FileNotFoundException where there is none
 * @throws ReferenceException there is no set, or it is damaged
 */
class ReferenceTiles(private val open: (String) -> InputStream) {
    /** Side of the tiles in pixels. */
    val tile: Int

    val cases: List<ReferenceCase>

    /** The entry `reference` of a results file. */
    val summary: JsonObject

    private val inputs: List<ByteArray>
    private val truths: List<ByteArray>

    init {
        try {
            val index = open(INDEX).use { JsonParser.parseString(it.readBytes().toString(Charsets.UTF_8)).asJsonObject }
            if (index["schema"].asInt != SCHEMA_VERSION) damaged("they are of another version")
            tile = index["tile"].asInt
            if (tile !in 8..MAX_TILE || tile % 8 != 0) damaged("their size is $tile")
            summary = index["summary"].asJsonObject
            cases = index["cases"].asJsonArray.map { element ->
                val case = element.asJsonObject
                ReferenceCase(
                    kind = case["kind"].asString,
                    truth = case["truth"].asInt,
                    inputSha256 = case["input_sha256"].asString,
                    truthSha256 = case["truth_sha256"].asString,
                    outputSha256 = case["output_sha256"].asString,
                )
            }
            if (cases.isEmpty()) damaged("there is no tile")
            inputs = readTiles("inputs.u8", cases.map { it.inputSha256 })
            val hashes = cases.associate { it.truth to it.truthSha256 }.toSortedMap()
            if (hashes.keys.toList() != hashes.keys.indices.toList()) damaged("a truth is missing")
            truths = readTiles("truths.u8", hashes.values.toList())
        } catch (_: FileNotFoundException) {
            throw ReferenceException("There are no reference tiles in this build; `anyir android stage` puts them in.")
        } catch (error: IOException) {
            damaged("they cannot be read")
        } catch (error: RuntimeException) { // Gson's, of many kinds: an entry is missing or of another type
            damaged("their index is not by its schema")
        }
    }

    /** Sha256 of the weights whose outputs these are. */
    val weightsSha256: String get() = summary["weights_sha256"].asString

    /** Puts the input of one case into a buffer: floats in 0..1, as the programs take them. */
    fun input(case: Int, into: FloatBuffer) = fill(inputs[case], into)

    /** The same of its truth. */
    fun truth(case: Int, into: FloatBuffer) = fill(truths[cases[case].truth], into)

    /** Opens the network's outputs, to be read in the order of the cases. */
    fun outputs(): Outputs = Outputs(BufferedInputStream(openOutputs(), 1 shl 16))

    private fun openOutputs(): InputStream = try {
        open("outputs.f32")
    } catch (_: IOException) {
        damaged("outputs.f32 cannot be read")
    }

    /** The network's outputs, one after the other. */
    inner class Outputs internal constructor(private val stream: InputStream) : Closeable {
        private val bytes = ByteArray(4 * 3 * tile * tile)
        private var next = 0

        /** The next case's output. */
        fun read(into: FloatBuffer) {
            try {
                stream.readFully(bytes)
            } catch (_: IOException) {
                damaged("outputs.f32 is too short")
            }
            checkHash(bytes, cases[next].outputSha256, "outputs.f32")
            ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().let {
                into.clear()
                into.put(it)
            }
            next++
        }

        override fun close() = stream.close()
    }

    private fun readTiles(name: String, hashes: List<String>): List<ByteArray> = open(name).use { stream ->
        hashes.map { hash ->
            ByteArray(3 * tile * tile).also {
                stream.readFully(it)
                checkHash(it, hash, name)
            }
        }
    }

    private fun fill(bytes: ByteArray, into: FloatBuffer) {
        into.clear()
        for (value in bytes) into.put((value.toInt() and 0xff) / 255f)
    }

    private fun checkHash(bytes: ByteArray, expected: String, name: String) {
        if (hex(MessageDigest.getInstance("SHA-256").digest(bytes)) != expected) damaged("$name was changed")
    }

    private fun damaged(how: String): Nothing =
        throw ReferenceException("The reference tiles are damaged: $how; run `anyir android stage` again.")

    private companion object {
        const val INDEX = "reference.json"
        const val SCHEMA_VERSION = 1
        const val MAX_TILE = 1024
    }
}

private fun InputStream.readFully(into: ByteArray) {
    var done = 0
    while (done < into.size) {
        val count = read(into, done, into.size - done)
        if (count < 0) throw EOFException()
        done += count
    }
}

internal fun hex(bytes: ByteArray): String = bytes.joinToString("") { "%02x".format(it) }
