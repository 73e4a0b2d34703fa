package org.anyir.demo.ui

import com.google.gson.JsonObject
import com.google.gson.JsonParser
import org.anyir.demo.models.Choice
import java.io.File
import java.io.IOException

/** What the benchmark measured on this phone: the median time of a tile, of the newest run of each pair. */
class Benchmarks private constructor(private val found: Map<Pair<String, String>, Double>) {
    fun millis(choice: Choice): Double? = found[Pair(choice.model.manifest.sha256, choice.engine.id)]

    companion object {
        /** Reads all results in [folder]; what is no results file, or half of one, is passed over. */
        fun read(folder: File): Benchmarks {
            val found = HashMap<Pair<String, String>, Double>()
            val files = folder.listFiles { file -> file.extension == "json" }.orEmpty().sortedBy { it.lastModified() }
            for (file in files) {
                try {
                    val rows = JsonParser.parseString(file.readText()).asJsonObject["rows"].asJsonArray
                    rows.forEach { add(it.asJsonObject, found) }
                } catch (_: IOException) {
                    continue
                } catch (_: RuntimeException) { // no JSON, or an entry that is missing or of another type
                    continue
                }
            }
            return Benchmarks(found)
        }

        private fun add(row: JsonObject, found: HashMap<Pair<String, String>, Double>) {
            if (row["status"]?.asString != "ok") return
            val model = row["artifact"].asJsonObject["sha256"].asString
            found[Pair(model, row["engine"].asString)] = row["latency"].asJsonObject["p50_ms"].asDouble
        }
    }
}
