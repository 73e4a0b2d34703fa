package org.anyir.core

import com.google.gson.JsonObject

/** A manifest that cannot be used. The message is one sentence for the user. */
class ManifestException(message: String) : Exception(message)

/** The weights an artifact was made from. [config] is the network's shape, as it stands in the file. */
class Source(val file: String, val sha256: String, val preset: String, val config: JsonObject)

/**
 * An input or output. [layout] is "opaque" for statistics: as `look` gives them, `restore` takes them. [range] is the
 * least and largest value, to which outputs are not clamped; null for statistics.
 */
data class TensorSpec(
    val name: String,
    val shape: List<Long>,
    val dtype: String,
    val layout: String,
    val range: List<Double>?,
)

/** How much of the graph the backend takes; null where only the device can tell. */
class Operators(val total: Long, val delegated: Long?, val partitions: Long?)

/** One of an artifact's two programs: what it takes and gives, each in order. */
class Entry(val inputs: List<TensorSpec>, val outputs: List<TensorSpec>, val operators: Operators)

/**
 * ExecuTorch methods, LiteRT signatures of these names: [look], once a photo, from a sheet of its crops to statistics;
 * [restore], for every tile, from the tile and the statistics to the tile restored.
 */
class Entries(val look: Entry, val restore: Entry) {
    /** In the order in which both know them. */
    val statistics: List<TensorSpec> get() = look.outputs
}

/** How the weights were made smaller; [calibration] names the photos that fixed the ranges. */
class Quantization(
    val method: String,
    val bits: Long,
    val details: String,
    val calibration: String?,
    val keptFloat: List<String>,
)

/** Outputs of one stage's [entry] against another stage's; [psnr] in dB, null: identical. */
class Stage(val stage: String, val entry: String, val against: String, val maxError: Double, val psnr: Double?)

/** PSNR against the truth, in dB. */
class Degradation(val kind: String, val literalPsnr: Double, val artifactPsnr: Double, val loss: Double)

/** Values of the literal network's output for one parity photo. */
class Sample(val case: Long, val values: List<Double>)

/** Another size of tiles, and what the conversion measured with them. */
class OtherSize(val size: TileSize, val parity: Parity)

/** What the conversion measured. */
class Parity(
    val status: String,
    val reason: String?,
    val bounds: Map<String, Double?>,
    val stages: List<Stage>,
    val degradations: List<Degradation>,
    val samples: List<Sample>,
)

/**
 * The JSON file beside every artifact: what it is, where it comes from and how exact it is.
 *
 * conversion/manifest.schema.json is its published schema; [parse] takes what the schema takes.
 */
class Manifest(
    val name: String,
    val file: String,
    val sha256: String,
    val bytes: Long,
    val source: Source,
    val runtime: String,
    val backend: String,
    val precision: String,
    val target: String?,
    val tile: Int,
    val entries: Entries,
    val quantization: Quantization?,
    val parity: Parity,
    val versions: Map<String, String>,
    val codeSha256: String,
    val seconds: Double,
    /** The oldest runtime that was seen to run it; null: none was tried. */
    val oldestRuntime: String? = null,
    /** Of the tiles, where they are not as large as the sheet, which is [tile] x [tile]. */
    val restoreSize: TileSize? = null,
    /** Of tiles that `restore` takes besides, which only Core ML programs have; null: there are none. */
    val otherSizes: List<OtherSize>? = null,
) {
    /** Of the tiles that `restore` takes. */
    val tileSize: TileSize get() = restoreSize ?: TileSize(tile)

    companion object {
        /** The schema that this code reads. */
        const val SCHEMA_VERSION = 2L

        /**
         * Reads a manifest.
         *
         * @param json the file's text
         * @throws ManifestException no JSON, another schema version, a missing, unknown or wrong entry
         */
        @JvmStatic
        fun parse(json: String): Manifest = readManifest(JsonFields.parse(json))
    }
}
