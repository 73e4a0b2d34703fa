package org.anyir.demo.models

import android.content.Context
import android.content.res.AssetManager
import org.anyir.core.Manifest
import org.anyir.core.ManifestException
import org.anyir.core.ModelEntry
import org.anyir.core.ModelStore
import org.anyir.demo.photo.saysNoSpace
import java.io.File
import java.io.IOException
import java.io.InputStream
import java.security.DigestOutputStream
import java.security.MessageDigest

/** The files in the app's `assets/models`. */
internal interface BundledFiles {
    fun names(): List<String>

    /** Throws [IOException]. */
    fun open(name: String): InputStream
}

/**
 * The models on this phone: those in the app (`assets/models`), which are copied to its private files because runtimes
 * load files, and those that were pushed to `Android/data/org.anyir.demo/files/models`, which stand for the app's own of
 * the same name.
 *
 * @param bundled where the app's own are copied to
 * @param pushed where people put theirs; null while that storage is away
 */
class AppModels internal constructor(private val inApp: BundledFiles, private val bundled: File, pushed: File?) {
    private val store = ModelStore(listOfNotNull(pushed, bundled))

    /**
     * Every model, usable or refused with its reason. Copies and hashes files the first time: not on the main thread.
     */
    @Synchronized
    fun list(): List<ModelEntry> = unpack() + store.list()

    /** Copies what is missing and deletes what the app no longer has; returns what could not be copied. */
    private fun unpack(): List<ModelEntry.Refused> {
        bundled.mkdirs()
        val names = inApp.names().toSet()
        val wanted = HashSet<String>()
        val refused = ArrayList<ModelEntry.Refused>()
        for (name in names.filter { it.endsWith(".json") }) {
            val target = File(bundled, name)
            try {
                val text = inApp.open(name).use { it.readBytes() }
                val manifest = Manifest.parse(String(text))
                if (manifest.file !in names) throw ManifestException("The app does not hold ${manifest.file}.")
                wanted += listOf(name, manifest.file)
                unpack(manifest, text, target)
            } catch (error: ManifestException) {
                refused += ModelEntry.Refused(target, error.message.orEmpty())
            } catch (error: IOException) {
                refused += ModelEntry.Refused(target, if (error.saysNoSpace()) NO_SPACE else NOT_UNPACKED)
            }
        }
        bundled.listFiles()?.forEach { if (it.name !in wanted) it.delete() }
        return refused
    }

    /** The manifest comes last: where it lies, the artifact does. */
    private fun unpack(manifest: Manifest, text: ByteArray, target: File) {
        val artifact = File(bundled, manifest.file)
        val there = artifact.length() == manifest.bytes && target.isFile && target.readBytes().contentEquals(text)
        if (there) return
        target.delete()
        val digest = MessageDigest.getInstance("SHA-256")
        place(artifact) { part ->
            inApp.open(manifest.file).use { input ->
                DigestOutputStream(part.outputStream(), digest).use { input.copyTo(it) }
            }
            val found = digest.digest().joinToString("") { "%02x".format(it) }
            if (!found.equals(manifest.sha256, ignoreCase = true)) {
                throw ManifestException("${manifest.file} is not the file that its manifest describes.")
            }
        }
        place(target) { it.writeBytes(text) }
    }

    private fun place(target: File, write: (File) -> Unit) {
        val part = File(bundled, "${target.name}.part")
        try {
            write(part)
            if (!part.renameTo(target)) throw IOException("cannot be renamed")
        } finally {
            part.delete()
        }
    }

    companion object {
        private const val FOLDER = "models"
        private const val NO_SPACE = "There is not enough space on this phone to unpack this model."
        private const val NOT_UNPACKED = "This model could not be unpacked on this phone."
        internal var instance: AppModels? = null

        /** The process's own, which remembers the files' hashes. */
        @Synchronized
        fun of(context: Context): AppModels = instance
            ?: AppModels(inApp(context.assets), File(context.filesDir, FOLDER), context.getExternalFilesDir(FOLDER))
                .also { instance = it }

        private fun inApp(assets: AssetManager) = object : BundledFiles {
            override fun names() = assets.list(FOLDER).orEmpty().toList()

            override fun open(name: String) = assets.open("$FOLDER/$name")
        }
    }
}
