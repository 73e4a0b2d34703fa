package org.anyir.core

import java.io.File
import java.io.IOException
import java.security.MessageDigest

private const val MANIFEST_SUFFIX = "json"
private const val MAX_MANIFEST_BYTES = 4L * 1024 * 1024

/** Values in all; the largest network that ships has 0.2 million. */
private const val MAX_STATISTICS = 16L * 1024 * 1024
private val ARTIFACT_SUFFIXES = mapOf("tflite" to "litert", "pte" to "executorch")

/** Runtimes that no Android phone has, by the names that manifests and people give them. */
private val APPLE_ONLY = mapOf("coreml" to "Core ML", "coreai" to "Core AI")

/**
 * The models in folders on the device, each an artifact with its manifest beside it.
 *
 * Nothing is taken on trust: a manifest names a plain file in its own folder, and the file's sha256 is the
 * manifest's. Hashes are remembered as long as this object lives and a file's size and time stay the same.
 * Safe to call from several threads.
 *
 * @param folders looked through in this order; one that does not exist is empty. A model hides those of the same name
 * in later folders; in its own folder a second one is refused
 */
class ModelStore(private val folders: List<File>) {
    private class Hash(val size: Long, val modified: Long, val sha256: String)

    private val hashes = HashMap<File, Hash>()

    /** Every artifact found, usable or not, sorted by name within each folder. */
    @Synchronized
    fun list(): List<ModelEntry> {
        val entries = ArrayList<ModelEntry>()
        val names = HashMap<String, Model>()
        for (folder in folders) {
            for (entry in list(folder)) {
                val model = (entry as? ModelEntry.Usable)?.model
                val first = model?.let { names[it.manifest.name] }
                when {
                    first == null -> entries += entry.also { if (model != null) names[model.manifest.name] = model }
                    first.file.parentFile == folder -> entries += ModelEntry.Refused(
                        model.file,
                        "${first.file.name} is a model of the same name.",
                    )
                }
            }
        }
        return entries
    }

    private fun list(folder: File): List<ModelEntry> {
        if (!folder.exists()) return emptyList()
        val files = folder.listFiles()?.filter { !it.isDirectory }?.sortedBy { it.name }
            ?: return listOf(ModelEntry.Refused(folder, "The folder cannot be read."))
        val artifacts = files.filter { it.extension in ARTIFACT_SUFFIXES }.associateBy { it.nameWithoutExtension }
        val manifests = files.filter { it.extension == MANIFEST_SUFFIX }
        val described = manifests.mapTo(HashSet()) { it.nameWithoutExtension }
        return manifests.filter { it.nameWithoutExtension in artifacts || isManifest(it) }.map(::open) +
            artifacts.filterKeys { it !in described }.map { (name, file) ->
                ModelEntry.Refused(file, "There is no manifest $name.json beside it.")
            }
    }

    /** Other JSON files, such as a conversion's report, may lie in the folder; they are none of ours. */
    private fun isManifest(file: File): Boolean = try {
        Manifest.parse(readManifestText(file))
        true
    } catch (_: ManifestException) {
        false
    } catch (_: IOException) {
        false
    }

    private fun readManifestText(file: File): String {
        refuseIf(file.length() > MAX_MANIFEST_BYTES) { "The manifest is larger than any real one." }
        return file.readText()
    }

    private fun open(manifestFile: File): ModelEntry = try {
        ModelEntry.Usable(check(manifestFile))
    } catch (error: ManifestException) {
        ModelEntry.Refused(manifestFile, error.message.orEmpty())
    } catch (_: IOException) {
        ModelEntry.Refused(manifestFile, "The model or its manifest cannot be read.")
    } catch (_: SecurityException) {
        ModelEntry.Refused(manifestFile, "The model or its manifest cannot be read.")
    }

    private fun check(manifestFile: File): Model {
        val folder = manifestFile.parentFile
        refuseIf(leaves(manifestFile, folder)) { "The manifest is a link that leads out of the folder." }
        val manifest = Manifest.parse(readManifestText(manifestFile))

        val name = manifest.file
        refuseIf(name.isEmpty() || name.any { it == '/' || it == '\\' || it == '\u0000' } || name in setOf(".", "..")) {
            "The manifest names a file outside its folder: ${name.take(80)}."
        }
        val apple = APPLE_ONLY[manifest.runtime]
        refuseIf(apple != null) { "This is a $apple program, which runs on Apple's systems only." }
        val file = File(folder, name)
        refuseIf(ARTIFACT_SUFFIXES[file.extension] != manifest.runtime) { "$name is no ${manifest.runtime} program." }
        refuseIf(file.nameWithoutExtension != manifestFile.nameWithoutExtension) {
            "The manifest describes ${name.take(80)}, which its own name does not match."
        }
        refuseIf(!file.exists()) { "The file $name is missing." }
        refuseIf(leaves(file, folder)) { "$name is a link that leads out of the folder." }
        refuseIf(!file.isFile) { "$name is not a file." }
        for (side in manifest.tileSize.run { listOf(manifest.tile, height, width) }) {
            refuseIf(side < 8 || side % 8 != 0) { "The tile size $side is not a multiple of 8." }
        }
        checkEntries(manifest)

        val found = sha256Of(file)
        refuseIf(!found.equals(manifest.sha256, ignoreCase = true)) {
            "$name is not the file that its manifest describes: sha256 ${found.take(12)}.., " +
                "${manifest.sha256.take(12)}.. is due."
        }
        return Model(manifest, file)
    }

    /** What the app gives and takes, and that `restore` takes what `look` gives. */
    private fun checkEntries(manifest: Manifest) {
        val (look, restore) = manifest.entries.run { look to restore }
        val statistics = manifest.entries.statistics
        refuseIf(look.inputs.size != 1 || restore.outputs.size != 1 || restore.inputs.isEmpty()) {
            "The model does not take one image and give one."
        }
        val (sheet, tile) = listOf(TileSize(manifest.tile), manifest.tileSize).map {
            listOf(1L, 3L, it.height.toLong(), it.width.toLong())
        }
        val images = listOf(look.inputs[0] to sheet, restore.inputs[0] to tile, restore.outputs[0] to tile)
        for ((image, shape) in images) {
            refuseIf(image.shape != shape || image.dtype != "float32") {
                "${image.name} is ${image.dtype} ${image.shape.joinToString("x")}; this app gives " +
                    "and takes float32 ${shape.joinToString("x")}."
            }
        }
        refuseIf(statistics.isEmpty() || statistics != restore.inputs.drop(1)) {
            "The model's restore does not take what its look gives."
        }
        var values = 0L
        for (tensor in statistics) {
            refuseIf(tensor.dtype != "float32") { "${tensor.name} is ${tensor.dtype}; this app copies float32." }
            refuseIf(tensor.shape.any { it !in 1..MAX_STATISTICS }) { "${tensor.name} has an impossible size." }
            values += tensor.shape.fold(1L) { size, side -> minOf(size * side, MAX_STATISTICS + 1) }
        }
        refuseIf(values > MAX_STATISTICS) { "The model's statistics are larger than any real one's." }
    }

    private fun sha256Of(file: File): String {
        val size = file.length()
        val modified = file.lastModified()
        hashes[file]?.let { if (it.size == size && it.modified == modified) return it.sha256 }
        return sha256(file).also { hashes[file] = Hash(size, modified, it) }
    }

    private fun leaves(file: File, folder: File): Boolean = file.canonicalFile.parentFile != folder.canonicalFile

    private inline fun refuseIf(fault: Boolean, message: () -> String) {
        if (fault) throw ManifestException(message())
    }
}

/** Hex digest of a file, read in pieces. */
fun sha256(file: File): String {
    val digest = MessageDigest.getInstance("SHA-256")
    val piece = ByteArray(1 shl 16)
    file.inputStream().use { stream ->
        while (true) {
            val count = stream.read(piece)
            if (count < 0) break
            digest.update(piece, 0, count)
        }
    }
    return digest.digest().joinToString("") { "%02x".format(it) }
}
