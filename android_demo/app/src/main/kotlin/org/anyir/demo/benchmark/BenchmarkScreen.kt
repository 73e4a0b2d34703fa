package org.anyir.demo.benchmark

import android.app.Activity
import android.view.View
import android.widget.Button
import android.widget.LinearLayout
import android.widget.ProgressBar
import android.widget.ScrollView
import android.widget.TextView
import com.google.gson.JsonObject
import org.anyir.demo.R

/** The benchmark's screen: what can be started, how far it is, and what came out. */
internal class BenchmarkScreen(private val activity: Activity, private val start: (Map<String, Any>) -> Unit) {
    private val choices = column()
    private val running = column()
    private val rows = column()
    private val bar = ProgressBar(activity, null, android.R.attr.progressBarStyleHorizontal)
    private val step = text("")
    private val message = text("")

    /** To be set as the activity's content. */
    val view: View = ScrollView(activity).apply {
        fitsSystemWindows = true
        isFillViewport = true
        addView(
            column().apply {
                setPadding(dp(20), dp(20), dp(20), dp(20))
                addView(text(activity.getString(R.string.benchmark_explained)))
                addView(choices)
                addView(running)
                addView(message)
                addView(rows)
            },
        )
    }

    init {
        choice(R.string.benchmark_quick, mapOf("runs" to 10, "warmup" to 3))
        choice(R.string.benchmark_thorough, mapOf("runs" to 50, "warmup" to 5))
        choice(R.string.benchmark_sustained, mapOf("runs" to 30, "warmup" to 5, "sustain_s" to 300))
        running.addView(bar)
        running.addView(step)
        running.addView(button(R.string.benchmark_stop) { BenchmarkRun.stop() })
        step.accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_NONE
        message.accessibilityLiveRegion = View.ACCESSIBILITY_LIVE_REGION_POLITE
    }

    fun show(state: BenchmarkState) {
        running.visibility = if (state is BenchmarkState.Running) View.VISIBLE else View.GONE
        choices.visibility = if (state is BenchmarkState.Running) View.GONE else View.VISIBLE
        if (state !is BenchmarkState.Running) rows.removeAllViews()
        message.text = ""
        when (state) {
            BenchmarkState.Idle -> Unit
            is BenchmarkState.Running -> {
                bar.isIndeterminate = state.total == 0
                bar.max = maxOf(1, state.total)
                bar.progress = state.done
                step.text = state.what
            }
            is BenchmarkState.Failed -> message.text = state.message
            is BenchmarkState.Done -> {
                message.text =
                    activity.getString(R.string.benchmark_written, "files/${BenchmarkRun.FOLDER}/${state.file.name}")
                state.results["rows"].asJsonArray.forEach { addRow(it.asJsonObject) }
            }
        }
    }

    private fun addRow(row: JsonObject) {
        val engine = row["engine"]?.takeUnless { it.isJsonNull }?.asString
        val title = text(listOfNotNull(row["name"].asString, engine).joinToString(", "))
        title.setTypeface(title.typeface, android.graphics.Typeface.BOLD)
        title.setPadding(0, dp(16), 0, 0)
        rows.addView(title)
        rows.addView(text(if (row["error"].isJsonNull) figures(row) else row["error"].asString))
    }

    private fun figures(row: JsonObject): String {
        val latency = row["latency"].asJsonObject
        val worst = row["quality"].asJsonObject.entrySet().map { it.value.asJsonObject["psnr_reference"] }
            .filter { !it.isJsonNull }.minOfOrNull { it.asDouble }
        val memory = row["peak_memory_bytes"].takeUnless { it.isJsonNull }?.asLong
        return listOfNotNull(
            activity.getString(R.string.benchmark_latency, latency["p50_ms"].asDouble, latency["p90_ms"].asDouble),
            row["accelerator"].asString,
            memory?.let { activity.getString(R.string.benchmark_memory, it / 1e6) },
            worst?.let { activity.getString(R.string.benchmark_exact, it) }
                ?: activity.getString(R.string.benchmark_identical),
        ).joinToString("\n")
    }

    private fun choice(label: Int, options: Map<String, Any>) = choices.addView(button(label) { start(options) })

    private fun button(label: Int, tapped: () -> Unit) = Button(activity).apply {
        setText(label)
        isAllCaps = false
        minHeight = dp(48)
        setOnClickListener { tapped() }
    }

    private fun text(value: String) = TextView(activity).apply {
        text = value
        textSize = 16f
        setTextIsSelectable(true)
        setPadding(0, dp(4), 0, dp(4))
    }

    private fun column() = LinearLayout(activity).apply { orientation = LinearLayout.VERTICAL }

    private fun dp(value: Int) = Math.round(value * activity.resources.displayMetrics.density)
}
