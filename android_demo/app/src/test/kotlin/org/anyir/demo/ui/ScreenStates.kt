package org.anyir.demo.ui

import android.app.Activity
import android.net.Uri
import com.google.gson.JsonParser
import org.anyir.core.ModelEntry
import org.anyir.core.Need
import org.anyir.demo.R
import org.anyir.demo.benchmark.BenchmarkScreen
import org.anyir.demo.benchmark.BenchmarkState
import org.anyir.demo.photo.PhotoFormat
import org.anyir.demo.photo.PhotoInfo
import org.anyir.demo.restore.Export
import org.anyir.demo.restore.RestoreState
import org.robolectric.Robolectric
import java.io.File

/** Every screen of the app in every state that looks different, without anything behind it. */
object ScreenStates {
    private val file = File("src/main/res/raw/sample.jpg")
    private val photo = photo("IMG_20261124_101530.jpg", 451, 300)
    private val notes = listOf("Its gain map for bright screens is lost.", "The location and camera data are kept.")
    private val result = restoredPhoto(file = file)
    private val made = Export.Made(
        Uri.parse("content://media/1"),
        "IMG_20261124_101530_restored.jpg",
        "image/jpeg",
        "Pictures/AnyIR",
        emptyList(),
    )
    private val some = fakeCatalogue()
    private val none = Catalogue(emptyList(), emptyList(), some.engines, null)
    private val stuck = Catalogue(some.models, some.refused, some.engines, null)

    private fun photo(name: String, width: Int, height: Int, notes: List<String> = emptyList()) =
        PhotoInfo(Uri.parse("content://x/$name"), name, file, PhotoFormat.JPEG, 1, width, height, notes)

    val main: Map<String, UiState> = mapOf(
        "start" to uiState(RestoreState.Idle, some),
        "start without a model" to uiState(RestoreState.Idle, none),
        "opening" to uiState(RestoreState.Opening, some),
        "ready" to uiState(RestoreState.Ready(photo), some),
        "ready, with notes" to uiState(RestoreState.Ready(photo("a.jpg", 451, 300, notes), interrupted = true), some),
        "ready, too large" to uiState(RestoreState.Ready(photo("panorama.jpg", 12_000, 8_000)), some),
        "ready without an engine" to uiState(RestoreState.Ready(photo), stuck),
        "loading the model" to uiState(RestoreState.Running(photo, 0, 0, null), some),
        "looking at the photo" to uiState(RestoreState.Running(photo, 0, 41, null), some),
        "running" to uiState(RestoreState.Running(photo, 13, 41, 95_000, Need(24.3, -30.0, 12.0, -1.5)), some),
        "cancelling" to uiState(RestoreState.Running(photo, 13, 41, null, cancelling = true), some),
        "done" to uiState(
            RestoreState.Done(photo, restoredPhoto(file = file, model = "full", engine = "Engine litert-cpu")),
            some,
        ),
        "done, another model chosen" to uiState(RestoreState.Done(photo, result), some),
        "saving" to uiState(RestoreState.Done(photo, result), some, Saving.Now),
        "saved" to uiState(RestoreState.Done(photo, restoredPhoto(saved = true, file = file)), some, Saving.Done(made)),
        "not saved" to uiState(
            RestoreState.Done(photo, restoredPhoto(half = true, file = file, need = Need(9.5, 12.0, 4.0, -3.0))),
            some,
            Saving.Failed("There is not enough space on this phone."),
        ),
        "failed" to uiState(RestoreState.Failed(photo, "There is not enough memory; close other apps."), some),
        "no photo" to uiState(RestoreState.Failed(null, "This file is no photo."), some),
        "refused" to uiState(
            RestoreState.Running(photo, 2, 41, 95_000),
            some,
            notice = "A photo is being restored; wait until it is done, or cancel it.",
        ),
    )

    val models: Map<String, Catalogue> = mapOf(
        "models" to fakeCatalogue {
            Speed(212.4, benchmarked = false).takeIf { _ -> it.model.manifest.name == "full" }
        },
        "no models" to fakeCatalogue(
            entries = listOf(
                ModelEntry.Refused(
                    File("anyir_litert_cpu_fp16_256x256.json"),
                    "anyir_litert_cpu_fp16_256x256.tflite is not the file that its manifest describes: sha256 " +
                        "0123456789ab.., ba9876543210.. is due.",
                ),
            ),
        ),
    )

    private val benchmarks: Map<String, BenchmarkState> = mapOf(
        "benchmark" to BenchmarkState.Idle,
        "measuring" to BenchmarkState.Running(31, 140, "run 12 of anyir_litert_cpu_fp16_256x256 by litert-interpreter"),
        "not measured" to BenchmarkState.Failed("The benchmark's screen was left; keep it in front while it runs."),
        "measured" to BenchmarkState.Done(File("results.json"), JsonParser.parseString(RESULTS).asJsonObject),
    )

    val names: List<String> = (main.keys + models.keys + benchmarks.keys).toList()

    /** An activity that shows one of [names]. */
    fun open(name: String): Activity {
        val controller = Robolectric.buildActivity(Activity::class.java).create()
        val activity = controller.get()
        activity.setTheme(R.style.Theme_AnyIR)
        val state = main[name]
        val benchmark = benchmarks[name]
        if (benchmark != null) {
            activity.setContentView(R.layout.benchmark)
            BenchmarkScreen(activity.window.decorView, {}, {}, {}).show(benchmark)
        } else if (state != null) {
            activity.setContentView(R.layout.main)
            MainScreen(activity.window.decorView, NoActions) {}.show(state)
        } else {
            activity.setContentView(R.layout.models)
            ModelsScreen(activity.window.decorView.part(R.id.list), {}, {}).show(models.getValue(name))
        }
        controller.start().postCreate(null).resume().visible()
        val photo = activity.findViewById<CompareView>(R.id.photo)
        settle { photo?.photoName == null || photo.ready }
        return activity
    }

    private const val RESULTS = """{"rows": [
        {"name": "anyir_litert_cpu_fp32_256x256", "engine": "litert-interpreter", "error": null,
         "latency": {"p50_ms": 1234.5, "p90_ms": 1310.2}, "look": {"latency": {"p50_ms": 1543.2}},
         "accelerator": "LiteRT CPU (XNNPACK asked for)",
         "quality": {"noise": {"psnr_reference": 93.2}}, "peak_memory_bytes": 312000000},
        {"name": "anyir_litert_cpu_int8_256x256", "engine": null, "error": "Its process ended: it crashed in native code."}
    ]}"""

    private object NoActions : PanelActions {
        override fun choosePhoto() = Unit

        override fun browseFiles() = Unit

        override fun restoreSample() = Unit

        override fun restore() = Unit

        override fun cancel() = Unit

        override fun save() = Unit

        override fun share() = Unit

        override fun showModels() = Unit

        override fun strength(value: Float) = Unit
    }
}
