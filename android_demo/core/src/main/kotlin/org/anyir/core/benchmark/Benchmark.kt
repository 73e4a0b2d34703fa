package org.anyir.core.benchmark

import com.google.gson.JsonObject
import org.anyir.core.CancelledException
import java.io.Closeable

/** A program's process gave no answer. The message is one sentence. */
class WorkerException(message: String, val unsupported: Boolean = false) : Exception(message)

/** The process that runs one program, seen from outside: requests of [BenchmarkSession], with a time limit. */
interface Worker : Closeable {
    /** @throws WorkerException it answered with an error, died, or took too long */
    fun request(request: JsonObject, limitSeconds: Long): JsonObject
}

/** The phone: what it is, and how it is now. */
interface Phone {
    /** The entry `environment` of a results file. */
    fun environment(): JsonObject

    /** An entry `before` or `after` of a row's conditions. */
    fun reading(): JsonObject
}

/** One target in the making: what was measured so far. */
class Measured(val target: Target) {
    val samples = ArrayList<JsonObject>()
    var loaded: JsonObject? = null
    var finished: JsonObject? = null
    var before: JsonObject? = null
    var after: JsonObject? = null
    val sustained = ArrayList<JsonObject>()
    var error: String? = target.error
    var unsupported = target.unsupported
    internal var worker: Worker? = null

    val alive: Boolean get() = error == null

    /** The worker's answer; null, and an error on record, where it has none. */
    internal fun ask(request: JsonObject, limitSeconds: Long): JsonObject? = try {
        worker!!.request(request, limitSeconds)
    } catch (failure: WorkerException) {
        error = failure.message
        unsupported = failure.unsupported
        null
    }
}

/**
 * Measures programs, each in a process of its own.
 *
 * As many as there are processes are loaded together and take turns; then come the next ones. One that fails
 * or dies drops out with its reason, and the others go on.
 *
 * @param start a process for a target, by the process's number
 * @param processes how many there can be at once
 * @param progress called before each step: done, of, what
 */
class Benchmark(
    private val plan: BenchmarkPlan,
    private val phone: Phone,
    private val processes: Int,
    private val start: (process: Int, target: Target) -> Worker,
    private val progress: (done: Int, total: Int, what: String) -> Unit = { _, _, _ -> },
    private val cancelled: () -> Boolean = { false },
) {
    private var done = 0
    private var total = 0

    /**
     * One entry for every target, in their order.
     *
     * @throws CancelledException between two steps
     */
    fun measure(targets: List<Target>): List<Measured> {
        val all = targets.map(::Measured)
        val alive = all.filter { it.alive }
        val rounds = plan.warmups + plan.runs
        total = alive.size * (rounds + 2 + if (plan.sustainSeconds > 0) 1 else 0)
        for (group in alive.chunked(processes)) {
            try {
                measureGroup(group, rounds)
            } finally {
                group.forEach { it.worker?.close() }
            }
        }
        return all
    }

    private fun measureGroup(group: List<Measured>, rounds: Int) {
        group.forEachIndexed { process, entry ->
            step("load ${entry.target.label}")
            entry.before = phone.reading()
            try {
                entry.worker = start(process, entry.target)
                entry.loaded = entry.ask(request("load"), LOAD_LIMIT_S)
            } catch (failure: WorkerException) {
                entry.error = failure.message
            }
        }
        measureInTurn(group.size, rounds) { place, round ->
            val entry = group[place]
            step("run ${round + 1} of ${entry.target.label}")
            if (!entry.alive) return@measureInTurn
            val sample = entry.ask(request("run").apply { addProperty("index", round) }, RUN_LIMIT_S)
            if (sample != null && round >= plan.warmups) entry.samples += sample
        }
        for (entry in group) {
            if (plan.sustainSeconds > 0) {
                step("run ${entry.target.label} without a pause")
                if (entry.alive) sustain(entry)
            }
            entry.after = phone.reading()
            step("compare ${entry.target.label}")
            if (entry.alive) entry.finished = entry.ask(request("finish"), COMPARE_LIMIT_S)
            entry.worker?.close()
        }
    }

    /** In stretches of a second, so that the phone's state can be read between them. */
    private fun sustain(entry: Measured) {
        val start = System.nanoTime()
        var at = 0.0
        while (at < plan.sustainSeconds) {
            stopIfCancelled()
            val reading = phone.reading()
            val answer =
                entry.ask(request("sustain").apply { addProperty("seconds", STRETCH_S) }, RUN_LIMIT_S) ?: return
            val end = (System.nanoTime() - start) / 1e9
            val times = answer["ms"].asJsonArray.map { it.asDouble }
            var left = times.sum() / 1e3
            times.forEachIndexed { i, ms ->
                left -= ms / 1e3
                entry.sustained += JsonObject().apply {
                    addProperty("at_s", Math.round(maxOf(0.0, end - left) * 1e3) / 1e3)
                    addProperty("ms", ms)
                    for (key in listOf("thermal_status", "thermal_headroom")) {
                        add(key, if (i == 0) reading[key] else null)
                    }
                }
            }
            at = end
        }
    }

    private fun step(what: String) {
        stopIfCancelled()
        progress(done++, total, what)
    }

    private fun stopIfCancelled() {
        if (cancelled()) throw CancelledException()
    }

    private fun request(what: String) = JsonObject().apply { addProperty("do", what) }

    private companion object {
        const val LOAD_LIMIT_S = 600L
        const val RUN_LIMIT_S = 300L
        const val COMPARE_LIMIT_S = 3600L
        const val STRETCH_S = 1.0
    }
}
