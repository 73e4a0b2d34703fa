package org.anyir.demo.benchmark

import android.content.Context
import android.os.Handler
import android.os.Looper
import android.util.Log
import com.google.gson.JsonObject
import org.anyir.core.CancelledException
import org.anyir.core.ModelEntry
import org.anyir.core.benchmark.Benchmark
import org.anyir.core.benchmark.BenchmarkPlan
import org.anyir.core.benchmark.EngineInfo
import org.anyir.core.benchmark.PlanException
import org.anyir.core.benchmark.ReferenceException
import org.anyir.core.benchmark.ResultsFile
import org.anyir.core.benchmark.chooseTargets
import org.anyir.core.benchmark.sentence
import org.anyir.demo.R
import org.anyir.demo.models.AppModels
import org.anyir.demo.restore.RestoreJobs
import org.anyir.demo.restore.RestoreState
import org.anyir.engines.Engines
import java.io.File
import java.io.IOException

/** How a benchmark stands. */
sealed interface BenchmarkState {
    object Idle : BenchmarkState

    class Running(val done: Int, val total: Int, val what: String) : BenchmarkState

    /** @param results the document that [file] holds */
    class Done(val file: File, val results: JsonObject) : BenchmarkState

    /** @param message one sentence */
    class Failed(val message: String) : BenchmarkState
}

/**
 * The one benchmark of the process. Its last line in the log, tag [TAG], begins with "done: " or "failed: ".
 * Everything here is for the main thread.
 */
object BenchmarkRun {
    const val TAG = "AnyIRBenchmark"

    /** Folder in the app's private files that holds results. */
    const val FOLDER = "benchmark"

    var state: BenchmarkState = BenchmarkState.Idle
        private set(value) {
            field = value
            listener?.invoke(value)
        }

    /** Told of every new state. */
    var listener: ((BenchmarkState) -> Unit)? = null

    /** The models on this phone; tests may give others. */
    internal var models: (Context) -> List<ModelEntry> = { AppModels.of(it).list() }

    private val main = Handler(Looper.getMainLooper())

    @Volatile
    private var cancelReason: Int? = null

    /**
     * Starts what was asked for, or fails with a sentence: a photo that is being restored would take the processor from
     * what is measured.
     *
     * @param given what [BenchmarkPlan.parse] takes
     */
    fun start(context: Context, given: Map<String, Any?>) {
        if (state is BenchmarkState.Running) {
            Log.e(TAG, "failed: ${context.getString(R.string.benchmark_busy)}")
            return
        }
        val plan = try {
            BenchmarkPlan.parse(given)
        } catch (error: PlanException) {
            fail(error.message.orEmpty())
            return
        }
        if (RestoreJobs.of(context).state is RestoreState.Running) {
            fail(context.getString(R.string.benchmark_restoring))
            return
        }
        cancelReason = null
        state = BenchmarkState.Running(0, 0, "")
        val application = context.applicationContext
        Thread({ work(application, plan) }, "benchmark").start()
    }

    /** Its screen is not in front any more, so that the phone would give it less time. */
    fun left() = cancel(R.string.benchmark_left)

    fun stop() = cancel(R.string.benchmark_stopped)

    /** A sentence in place of a benchmark that cannot even be asked for. */
    fun refuse(message: String) {
        if (state is BenchmarkState.Running) Log.e(TAG, "failed: $message") else fail(message)
    }

    private fun cancel(reason: Int) {
        if (state is BenchmarkState.Running) cancelReason = reason
    }

    private fun work(context: Context, plan: BenchmarkPlan) {
        val end = try {
            measure(context, plan)
        } catch (error: PlanException) {
            BenchmarkState.Failed(error.message.orEmpty())
        } catch (error: ReferenceException) {
            BenchmarkState.Failed(error.message.orEmpty())
        } catch (_: CancelledException) {
            BenchmarkState.Failed(context.getString(cancelReason ?: R.string.benchmark_stopped))
        } catch (_: IOException) {
            BenchmarkState.Failed(context.getString(R.string.benchmark_no_space))
        } catch (_: OutOfMemoryError) {
            BenchmarkState.Failed(context.getString(R.string.no_memory))
        } catch (error: RuntimeException) { // a service of the system that refuses: the screen and the log say it
            BenchmarkState.Failed(sentence(error))
        }
        main.post {
            when (end) {
                is BenchmarkState.Failed -> fail(end.message)
                is BenchmarkState.Done -> finish(end)
                else -> Unit
            }
        }
    }

    private fun measure(context: Context, plan: BenchmarkPlan): BenchmarkState {
        val threads = minOf(4, Runtime.getRuntime().availableProcessors())
        val tiles = referenceTiles(context)
        val engines = Engines.all.map { EngineInfo(it.id, it.unavailable(), it::opens) }
        val targets = chooseTargets(plan, models(context), engines, tiles)
        val phone = AndroidPhone(context)
        val environment = phone.environment()
        val benchmark = Benchmark(
            plan,
            phone,
            BenchmarkService.ALL.size,
            start = { process, target -> RemoteWorker(context, BenchmarkService.ALL[process]).open(target, threads) },
            progress = { done, total, what -> main.post { progress(done, total, what) } },
            cancelled = { cancelReason != null },
        )
        val results = ResultsFile.document(plan, environment, tiles, benchmark.measure(targets))
        val file = File(File(context.filesDir, FOLDER), plan.out)
        ResultsFile.write(results, file)
        return BenchmarkState.Done(file, results)
    }

    private fun progress(done: Int, total: Int, what: String) {
        if (state is BenchmarkState.Running) state = BenchmarkState.Running(done, total, what)
    }

    private fun finish(end: BenchmarkState.Done) {
        val rows = end.results["rows"].asJsonArray.map { it.asJsonObject }
        for (row in rows.filter { !it["error"].isJsonNull }) {
            val engine = if (row["engine"].isJsonNull) "" else " by ${row["engine"].asString}"
            Log.w(TAG, "${row["status"].asString}: ${row["name"].asString}$engine: ${row["error"].asString}")
        }
        val measured = rows.count { it["status"].asString == "ok" }
        Log.i(TAG, "done: files/$FOLDER/${end.file.name}, $measured of ${rows.size} programs measured")
        state = end
    }

    private fun fail(message: String) {
        Log.e(TAG, "failed: $message")
        state = BenchmarkState.Failed(message)
    }
}
