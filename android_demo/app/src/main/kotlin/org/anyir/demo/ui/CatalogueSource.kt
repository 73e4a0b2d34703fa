package org.anyir.demo.ui

import android.content.Context
import android.os.Handler
import android.os.Looper
import org.anyir.demo.benchmark.BenchmarkRun
import org.anyir.demo.models.AppModels
import org.anyir.demo.models.Choice
import org.anyir.demo.restore.RestoredPhoto
import org.anyir.engines.EngineFactory
import org.anyir.engines.Engines
import java.io.File
import java.util.concurrent.Executor
import java.util.concurrent.Executors

/**
 * Looks the models up away from the main thread (the first time they are copied and hashed), and keeps the choice.
 *
 * @param benchmarks where the benchmark's results lie
 */
class CatalogueSource(
    private val models: AppModels,
    private val engines: () -> List<EngineFactory>,
    private val settings: Settings,
    private val benchmarks: File,
    private val worker: Executor,
) {
    private val main = Handler(Looper.getMainLooper())

    /** Calls [result] on the main thread. */
    fun load(result: (Catalogue) -> Unit) {
        worker.execute {
            val entries = models.list()
            val benchmarks = Benchmarks.read(benchmarks)
            val catalogue = catalogue(entries, engines(), settings.chosen) { pair ->
                benchmarks.millis(pair)?.let { Speed(it, benchmarked = true) }
                    ?: settings.millis(pair)?.let { Speed(it, benchmarked = false) }
            }
            main.post { result(catalogue) }
        }
    }

    fun choose(choice: Choice) {
        settings.chosen = Chosen(choice.model.manifest.name, choice.engine.id)
    }

    /** Remembers how long the pair that made [result] took. */
    fun remember(catalogue: Catalogue, result: RestoredPhoto) {
        catalogue.made(result.model, result.engine)?.let { settings.remember(it, result) }
    }

    companion object {
        private val worker = Executors.newSingleThreadExecutor { Thread(it, "models") }

        fun of(context: Context) = CatalogueSource(
            AppModels.of(context),
            { Engines.all },
            Settings(context),
            File(context.filesDir, BenchmarkRun.FOLDER),
            worker,
        )
    }
}
