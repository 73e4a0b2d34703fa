package org.anyir.core

private val RUNTIMES = setOf("executorch", "litert", "coreml", "coreai")
private val ENTRIES = setOf("look", "restore")
private val STATUSES = setOf("measured", "evaluated", "not measured")

/** The manifest in [fields], entry by entry as the schema lists them. */
internal fun readManifest(fields: JsonFields): Manifest {
    val version = if (fields.has("schema_version")) fields.long("schema_version") else 1
    if (version != Manifest.SCHEMA_VERSION) {
        throw ManifestException(
            "The manifest has schema version $version and this app reads version ${Manifest.SCHEMA_VERSION}: " +
                "convert the model again.",
        )
    }
    val manifest = Manifest(
        name = fields.string("name"),
        file = fields.string("file"),
        sha256 = fields.string("sha256"),
        bytes = fields.long("bytes"),
        source = readSource(fields.fields("source")),
        runtime = fields.oneOf("runtime", RUNTIMES),
        backend = fields.string("backend"),
        precision = fields.string("precision"),
        target = fields.orNull("target") { fields.string(it) },
        tile = fields.int("tile"),
        entries = readEntries(fields.fields("entries")),
        quantization = fields.orNull("quantization") { readQuantization(fields.fields(it)) },
        parity = readParity(fields.fields("parity")),
        versions = fields.fields("versions").run { rest().associateWith { string(it) } },
        codeSha256 = fields.string("code_sha256"),
        seconds = fields.double("seconds"),
        oldestRuntime = fields.ifThere("oldest_runtime") { fields.string(it) },
        restoreSize = fields.ifThere("restore_size") { readRestoreSize(fields.fields(it)) },
        otherSizes = fields.ifThere("other_sizes") { fields.list(it, ::readOtherSize) },
    )
    fields.end()
    return manifest
}

/** What may be absent, or null. */
private fun <T : Any> JsonFields.ifThere(name: String, read: (String) -> T): T? =
    if (has(name)) orNull(name, read) else null

private fun readRestoreSize(fields: JsonFields) =
    TileSize(height = fields.int("height"), width = fields.int("width")).also { fields.end() }

private fun readOtherSize(fields: JsonFields) = OtherSize(
    size = TileSize(height = fields.int("height"), width = fields.int("width")),
    parity = readParity(fields.fields("parity")),
).also { fields.end() }

private fun readSource(fields: JsonFields) = Source(
    file = fields.string("file"),
    sha256 = fields.string("sha256"),
    preset = fields.string("preset"),
    config = fields.json("config"),
).also { fields.end() }

private fun readEntries(fields: JsonFields) = Entries(
    look = readEntry(fields.fields("look")),
    restore = readEntry(fields.fields("restore")),
).also { fields.end() }

private fun readEntry(fields: JsonFields) = Entry(
    inputs = fields.list("inputs", ::readTensor),
    outputs = fields.list("outputs", ::readTensor),
    operators = readOperators(fields.fields("operators")),
).also { fields.end() }

private fun readTensor(fields: JsonFields) = TensorSpec(
    name = fields.string("name"),
    shape = fields.longs("shape"),
    dtype = fields.string("dtype"),
    layout = fields.string("layout"),
    range = fields.orNull("range", fields::doubles),
).also { fields.end() }

private fun readQuantization(fields: JsonFields) = Quantization(
    method = fields.string("method"),
    bits = fields.long("bits"),
    details = fields.string("details"),
    calibration = fields.orNull("calibration") { fields.string(it) },
    keptFloat = fields.strings("kept_float"),
).also { fields.end() }

private fun readOperators(fields: JsonFields) = Operators(
    total = fields.long("total"),
    delegated = fields.orNull("delegated") { fields.long(it) },
    partitions = fields.orNull("partitions") { fields.long(it) },
).also { fields.end() }

private fun readParity(fields: JsonFields) = Parity(
    status = fields.oneOf("status", STATUSES),
    reason = fields.orNull("reason") { fields.string(it) },
    bounds = fields.fields("bounds").run { rest().associateWith { orNull(it, ::double) } },
    stages = fields.list("stages", ::readStage),
    degradations = fields.list("degradations", ::readDegradation),
    samples = fields.list("samples", ::readSample),
).also { fields.end() }

private fun readStage(fields: JsonFields) = Stage(
    stage = fields.string("stage"),
    entry = fields.oneOf("entry", ENTRIES),
    against = fields.string("against"),
    maxError = fields.double("max_error"),
    psnr = fields.orNull("psnr", fields::double),
).also { fields.end() }

private fun readDegradation(fields: JsonFields) = Degradation(
    kind = fields.string("kind"),
    literalPsnr = fields.double("literal_psnr"),
    artifactPsnr = fields.double("artifact_psnr"),
    loss = fields.double("loss"),
).also { fields.end() }

private fun readSample(fields: JsonFields) = Sample(
    case = fields.long("case"),
    values = fields.doubles("values"),
).also { fields.end() }
