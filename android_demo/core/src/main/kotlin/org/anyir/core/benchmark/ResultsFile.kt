package org.anyir.core.benchmark

import com.google.gson.GsonBuilder
import com.google.gson.JsonArray
import com.google.gson.JsonElement
import com.google.gson.JsonNull
import com.google.gson.JsonObject
import org.anyir.core.percentile
import java.io.File
import java.io.IOException
import java.nio.file.Files
import java.nio.file.StandardCopyOption

/** A results file, by profiling/results.schema.json. */
object ResultsFile {
    private const val SCHEMA_VERSION = 3
    private const val UNKNOWN = "unknown"

    /** What the engine tells of the loaded program. The manifest tells of the computer that it was made on. */
    private val TOLD = listOf("accelerator", "threads", "delegated", "operators", "partitions") +
        listOf("load_ms", "load_again_ms", "first_run_ms")

    /** What it tells of the entry that looks. */
    private val LOOK_TOLD = listOf("delegated", "operators", "partitions", "first_run_ms")

    /**
     * The whole document.
     *
     * @param environment of the phone; its `device` and `os` stand in every row
     */
    fun document(
        plan: BenchmarkPlan,
        environment: JsonObject,
        tiles: ReferenceTiles,
        measured: List<Measured>,
    ): JsonObject = JsonObject().apply {
        addProperty("schema", SCHEMA_VERSION)
        add("environment", environment)
        add("reference", tiles.summary)
        add("rows", JsonArray().apply { measured.forEach { add(row(plan, environment, it)) } })
    }

    /** Writes beside [file], then renames: there is never half a file. */
    fun write(document: JsonObject, file: File) {
        val folder = file.absoluteFile.parentFile
        if (!folder.isDirectory && !folder.mkdirs()) throw IOException("cannot make the folder $folder")
        val beside = File.createTempFile(file.name, ".part", folder)
        try {
            val text = GsonBuilder().serializeNulls().setPrettyPrinting().create().toJson(document)
            beside.writeText(text + "\n")
            Files.move(
                beside.toPath(),
                file.toPath(),
                StandardCopyOption.REPLACE_EXISTING,
                StandardCopyOption.ATOMIC_MOVE,
            )
        } finally {
            beside.delete()
        }
    }

    private fun row(plan: BenchmarkPlan, environment: JsonObject, measured: Measured) = JsonObject().apply {
        val target = measured.target
        val manifest = target.model?.manifest
        val ok = measured.error == null
        val finished = measured.finished?.takeIf { ok }
        val loaded = measured.loaded?.takeIf { ok }
        addProperty(
            "status",
            if (ok) {
                "ok"
            } else if (measured.unsupported) {
                "unsupported"
            } else {
                "failed"
            },
        )
        addProperty("error", measured.error)
        addProperty("name", target.name)
        addProperty("engine", target.engine)
        add("artifact", artifact(target))
        addProperty("preset", manifest?.source?.preset)
        addProperty("runtime", target.runtime)
        add("runtime_version", loaded.value("runtime_version"))
        addProperty("backend", manifest?.backend ?: UNKNOWN)
        addProperty("precision", manifest?.precision ?: UNKNOWN)
        addProperty("tile", manifest?.tile)
        manifest?.restoreSize?.let { size ->
            add(
                "restore_size",
                JsonObject().apply {
                    addProperty("height", size.height)
                    addProperty("width", size.width)
                },
            )
        }
        add("device", environment["device"])
        add("os", environment["os"])
        for (key in TOLD) add(key, loaded.value(key))
        add("latency", if (ok) latency(measured.samples, plan.warmups) else JsonNull.INSTANCE)
        add("look", loaded?.get("look")?.asJsonObject?.let { look(it, plan, measured) } ?: JsonNull.INSTANCE)
        for (key in listOf("peak_memory_bytes", "pss_bytes", "output_sha256")) add(key, finished.value(key))
        add("quality", finished?.get("quality") ?: JsonObject())
        val before = measured.before
        val after = measured.after
        add(
            "conditions",
            if (before == null || after == null) {
                JsonNull.INSTANCE
            } else {
                JsonObject().apply {
                    add("before", before)
                    add("after", after)
                }
            },
        )
        add("sustained", if (ok) sustained(plan, measured) else JsonNull.INSTANCE)
    }

    private fun artifact(target: Target): JsonElement = target.model?.let { model ->
        JsonObject().apply {
            addProperty("name", model.file.name)
            addProperty("sha256", model.manifest.sha256)
            addProperty("bytes", model.file.length())
        }
    } ?: JsonNull.INSTANCE

    /** What the look costs, which runs once a photo; the rest of a row is of the tiles. */
    private fun look(loaded: JsonObject, plan: BenchmarkPlan, measured: Measured) = JsonObject().apply {
        for (key in LOOK_TOLD) add(key, loaded[key])
        add("latency", latency(measured.samples.map { it["look"].asJsonObject }, plan.warmups))
    }

    private fun latency(samples: List<JsonObject>, warmups: Int) = JsonObject().apply {
        val times = samples.map { it["ms"].asDouble }
        addProperty("warmups", warmups)
        addProperty("n", times.size)
        for (share in listOf(50, 90, 99)) addProperty("p${share}_ms", percentile(times, share.toDouble()).rounded())
        add("samples_ms", series(samples, "ms"))
        add(
            "split",
            JsonObject().apply {
                for (key in listOf("copy_in_ms", "run_ms", "read_back_ms")) add(key, series(samples, key))
            },
        )
    }

    private fun sustained(plan: BenchmarkPlan, measured: Measured): JsonElement {
        if (plan.sustainSeconds == 0) return JsonNull.INSTANCE
        return JsonObject().apply {
            addProperty("seconds", plan.sustainSeconds)
            add("runs", JsonArray().apply { measured.sustained.forEach(::add) })
        }
    }

    private fun series(samples: List<JsonObject>, key: String) = JsonArray().apply { samples.forEach { add(it[key]) } }

    private fun JsonObject?.value(key: String): JsonElement = this?.get(key) ?: JsonNull.INSTANCE

    private fun Double.rounded() = Math.round(this * 1e3) / 1e3
}
