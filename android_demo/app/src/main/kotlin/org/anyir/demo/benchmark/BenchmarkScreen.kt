package org.anyir.demo.benchmark

import android.view.LayoutInflater
import android.view.View
import android.view.ViewGroup
import android.widget.ProgressBar
import android.widget.TextView
import com.google.gson.JsonObject
import org.anyir.demo.R
import org.anyir.demo.ui.part
import org.anyir.demo.ui.show
import java.time.LocalDateTime
import java.time.format.DateTimeFormatter
import java.util.Locale

/**
 * The benchmark's screen: what can be started, how far it is, and what came out.
 *
 * @param root has the layout `benchmark`
 * @param start takes what [org.anyir.core.benchmark.BenchmarkPlan.parse] does
 * @param now the time that results are named after
 */
internal class BenchmarkScreen(
    private val root: View,
    private val start: (Map<String, Any>) -> Unit,
    stop: () -> Unit,
    back: () -> Unit,
    private val now: () -> LocalDateTime = LocalDateTime::now,
) {
    private val context = root.context
    private val rows = root.part<ViewGroup>(R.id.rows)

    init {
        choice(R.id.quick, "quick", mapOf("runs" to 10, "warmup" to 3))
        choice(R.id.thorough, "thorough", mapOf("runs" to 50, "warmup" to 5))
        choice(R.id.sustained, "sustained", mapOf("runs" to 30, "warmup" to 5, "sustain_s" to 300))
        root.part<View>(R.id.stop).setOnClickListener { stop() }
        root.part<View>(R.id.back).setOnClickListener { back() }
    }

    fun show(state: BenchmarkState) {
        val running = state as? BenchmarkState.Running
        val done = state as? BenchmarkState.Done
        root.part<View>(R.id.running).visibility = if (running != null) View.VISIBLE else View.GONE
        root.part<View>(R.id.choices).visibility = if (running != null) View.GONE else View.VISIBLE
        root.part<TextView>(R.id.problem).show((state as? BenchmarkState.Failed)?.message)
        root.part<TextView>(R.id.written).show(
            done?.let { context.getString(R.string.benchmark_written, "files/${BenchmarkRun.FOLDER}/${it.file.name}") },
        )
        running?.let(::showProgress)
        rows.removeAllViews()
        done?.results?.get("rows")?.asJsonArray?.forEach { addRow(it.asJsonObject) }
    }

    private fun showProgress(state: BenchmarkState.Running) {
        val bar = root.part<ProgressBar>(R.id.progress)
        bar.isIndeterminate = state.total == 0
        bar.max = maxOf(1, state.total)
        bar.progress = state.done
        root.part<TextView>(R.id.step).show(state.what)
    }

    private fun addRow(row: JsonObject) {
        val view = checkNotNull(LayoutInflater.from(context).inflate(R.layout.benchmark_row, rows, false))
        val engine = row["engine"]?.takeUnless { it.isJsonNull }?.asString
        view.part<TextView>(R.id.program).text = listOfNotNull(row["name"].asString, engine).joinToString(", ")
        view.part<TextView>(R.id.figures).text =
            if (row["error"].isJsonNull) figures(row) else row["error"].asString
        rows.addView(view)
    }

    private fun figures(row: JsonObject): String {
        val latency = row["latency"].asJsonObject
        val look = row["look"].asJsonObject["latency"].asJsonObject
        val worst = row["quality"].asJsonObject.entrySet().map { it.value.asJsonObject["psnr_reference"] }
            .filter { !it.isJsonNull }.minOfOrNull { it.asDouble }
        val memory = row["peak_memory_bytes"].takeUnless { it.isJsonNull }?.asLong
        return listOfNotNull(
            context.getString(R.string.benchmark_latency, latency["p50_ms"].asDouble, latency["p90_ms"].asDouble),
            context.getString(R.string.benchmark_look, look["p50_ms"].asDouble),
            row["accelerator"].asString,
            memory?.let { context.getString(R.string.benchmark_memory, it / 1e6) },
            worst?.let { context.getString(R.string.benchmark_exact, it) }
                ?: context.getString(R.string.benchmark_identical),
        ).joinToString("\n")
    }

    /** Every benchmark has a file of its own, named after its kind and when it began: none takes another's place. */
    private fun choice(id: Int, kind: String, options: Map<String, Any>) = root.part<View>(id).setOnClickListener {
        start(options + ("out" to "$kind-${now().format(TIME)}.json"))
    }

    private companion object {
        val TIME: DateTimeFormatter = DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss", Locale.ROOT)
    }
}
