package org.anyir.core.benchmark

import com.google.gson.JsonArray
import com.google.gson.JsonObject
import com.google.gson.JsonParser
import org.anyir.core.Operators
import org.anyir.core.RunTiming
import org.anyir.core.Statistics
import org.anyir.core.TileRunner
import org.anyir.core.TileSize
import org.anyir.core.directFloats
import java.io.Closeable
import java.nio.FloatBuffer

/** This phone or this build cannot run such a program, whatever is in it. The message is one sentence. */
class UnsupportedException(message: String) : Exception(message)

/**
 * A loaded program.
 *
 * @param accelerator what runs, as far as the engine tells
 * @param version of the runtime, where it tells
 * @param threads CPU threads that the engine was asked to take; null: none
 * @param look how much of the entry that looks the accelerator takes; null where the engine does not tell
 * @param restore the same of the entry that restores
 */
class OpenProgram(
    val runner: TileRunner,
    val accelerator: String,
    val version: String? = null,
    val threads: Int? = null,
    val look: Operators? = null,
    val restore: Operators? = null,
    private val end: () -> Unit,
) : Closeable {
    override fun close() = end()
}

/**
 * One program in a process of its own; the other side asks for one thing after the other.
 *
 * @param tiles the reference; in memory before the program is loaded, so that it does not count
 * @param open loads the program; throws [UnsupportedException], or any other exception with a sentence
 */
class BenchmarkSession(
    private val tiles: ReferenceTiles,
    private val memory: ProcessMemory = ProcessMemory(),
    private val open: () -> OpenProgram,
) : Closeable {
    private val input = buffer()
    private val output = buffer()
    private var program: OpenProgram? = null
    private var statistics: Statistics? = null
    private var residentBefore: Long? = null

    /** Answers a request `{"do": NAME, ...}`; what goes wrong becomes `{"error": SENTENCE}`. */
    fun answer(request: String): String {
        val answer = try {
            val fields = JsonParser.parseString(request).asJsonObject
            when (val what = fields["do"].asString) {
                "load" -> load()
                "run" -> run(fields["index"].asInt)
                "finish" -> finish()
                "sustain" -> sustain(fields["seconds"].asDouble)
                else -> error("there is no request $what")
            }
        } catch (error: UnsupportedException) {
            failure(error).apply { addProperty("unsupported", true) }
        } catch (error: Exception) { // of whatever runtime runs the program: it becomes the row's reason
            failure(error)
        } catch (error: LinkageError) {
            failure(error)
        } catch (_: OutOfMemoryError) {
            JsonObject().apply { addProperty("error", "not enough memory") }
        }
        return answer.toString()
    }

    /** Loads twice and runs both entries once after the first; the second stays. */
    private fun load(): JsonObject {
        residentBefore = memory.residentBytes()
        val start = System.nanoTime()
        val first = open()
        val loaded = System.nanoTime()
        if (first.runner.tile != tiles.tile || first.runner.tileSize != TileSize(tiles.tile)) {
            val found = first.runner.tileSize
            first.close()
            error("it takes tiles of $found and the reference has tiles of ${tiles.tile}")
        }
        val (firstLook, firstRun) = first.use {
            tiles.input(0, input)
            val found = it.runner.newStatistics()
            Pair(nanos { look(it.runner, found) }, nanos { restore(it.runner, found) })
        }
        val again = System.nanoTime()
        val second = open()
        val loadedAgain = System.nanoTime()
        program = second
        statistics = second.runner.newStatistics().also { look(second.runner, it) }
        return JsonObject().apply {
            addProperty("accelerator", second.accelerator)
            addProperty("runtime_version", second.version)
            addProperty("threads", second.threads)
            addOperators(second.restore)
            addProperty("load_ms", milliseconds(loaded - start))
            addProperty("first_run_ms", milliseconds(firstRun))
            addProperty("load_again_ms", milliseconds(loadedAgain - again))
            add(
                "look",
                JsonObject().apply {
                    addOperators(second.look)
                    addProperty("first_run_ms", milliseconds(firstLook))
                },
            )
        }
    }

    /**
     * One timed run of each entry, from input arrays to output arrays. The tile comes first, with the statistics of the
     * round before: in a photo, tiles follow tiles.
     */
    private fun run(index: Int): JsonObject {
        tiles.input(index % tiles.cases.size, input)
        val tile = timed { restore(loaded().runner, found()) }
        return tile.apply { add("look", timed { look(loaded().runner, found()) }) }
    }

    /** The memory taken by now, then every tile, with its own statistics, against the reference. */
    private fun finish(): JsonObject {
        val before = residentBefore
        val peak = memory.peakBytes()
        val pss = memory.pssBytes()
        val runner = loaded().runner
        val comparison = Comparison(tiles.tile)
        val expected = buffer()
        val truth = buffer()
        tiles.outputs().use { outputs ->
            tiles.cases.forEachIndexed { index, case ->
                tiles.input(index, input)
                look(runner, found())
                if (!found().isFinite()) throw NotFiniteException("looks at ${case.kind} and returns NaN or infinity")
                restore(runner, found())
                outputs.read(expected)
                tiles.truth(index, truth)
                comparison.add(case.kind, output, expected, truth)
            }
        }
        return JsonObject().apply {
            addProperty("peak_memory_bytes", if (before == null || peak == null) null else maxOf(0, peak - before))
            addProperty("pss_bytes", pss)
            add("quality", comparison.quality())
            addProperty("output_sha256", comparison.outputSha256())
        }
    }

    /** Restores without a pause for so long, and at least once. */
    private fun sustain(seconds: Double): JsonObject {
        val runner = loaded().runner
        val times = JsonArray()
        val start = System.nanoTime()
        do {
            times.add(milliseconds(nanos { restore(runner, found()) }))
        } while (System.nanoTime() - start < seconds * 1e9)
        return JsonObject().apply { add("ms", times) }
    }

    private fun look(runner: TileRunner, found: Statistics) = runner.look(input.rewound(), found)

    private fun restore(runner: TileRunner, found: Statistics) =
        runner.restore(input.rewound(), found, output.rewound())

    private inline fun timed(run: () -> RunTiming): JsonObject {
        val start = System.nanoTime()
        val timing = run()
        val total = System.nanoTime() - start
        return JsonObject().apply {
            addProperty("ms", milliseconds(total))
            addProperty("copy_in_ms", milliseconds(timing.copyInNanos))
            addProperty("run_ms", milliseconds(timing.runNanos))
            addProperty("read_back_ms", milliseconds(timing.readBackNanos))
        }
    }

    private inline fun nanos(run: () -> Unit): Long {
        val start = System.nanoTime()
        run()
        return System.nanoTime() - start
    }

    private fun JsonObject.addOperators(operators: Operators?) {
        addProperty("delegated", operators?.delegated)
        addProperty("operators", operators?.total)
        addProperty("partitions", operators?.partitions)
    }

    override fun close() {
        program?.close()
        program = null
        statistics = null
    }

    private fun loaded() = program ?: error("nothing is loaded")

    /** Of the tile that was looked at last. */
    private fun found() = statistics ?: error("nothing is loaded")

    private fun buffer(): FloatBuffer = directFloats(3 * tiles.tile * tiles.tile)

    private fun failure(error: Throwable) = JsonObject().apply { addProperty("error", sentence(error)) }
}

/** What went wrong in one line; with its kind where the message alone would not say enough. */
fun sentence(error: Throwable): String {
    val message = error.message.orEmpty().lineSequence().joinToString(" ") { it.trim() }.trim()
    val plain = message.endsWith(".") || error is IllegalStateException || error is NotFiniteException
    return if (message.isNotEmpty() && plain) message else "${error.javaClass.simpleName}: $message".removeSuffix(": ")
}

/** Rounded to a microsecond, as results have it. */
internal fun milliseconds(nanos: Long): Double = Math.round(maxOf(0L, nanos) / 1e3) / 1e3

private fun FloatBuffer.rewound(): FloatBuffer = apply { clear() }
