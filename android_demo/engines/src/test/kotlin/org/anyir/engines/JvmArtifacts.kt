package org.anyir.engines

import org.anyir.core.Model
import org.anyir.core.ModelEntry
import org.anyir.core.ModelStore
import org.junit.Assume.assumeTrue
import java.io.File

/** What tests/helpers/make_android_artifacts.py made: real programs of a tiny network, and what Python makes with them. */
object JvmArtifacts {
    private const val PROPERTY = "anyir.artifacts"

    /** The folder; a test that asks for it is skipped, with the reason, where there is none. */
    val folder: File
        get() {
            val path = System.getProperty(PROPERTY).orEmpty()
            assumeTrue(
                "no converted programs: run `make test`, or pass -D$PROPERTY=FOLDER made by tests/helpers/make_android_artifacts.py",
                path.isNotEmpty(),
            )
            return File(path).also { check(it.isDirectory) { "-D$PROPERTY=$path is no folder" } }
        }

    /** A photo of 177x143 pixels, larger than a tile. */
    val photo: File get() = File(folder, "photo.png")

    /** The programs, each checked against its manifest. */
    val models: List<Model> get() = models("models")

    /** A program whose tiles are 48x80 and whose sheet is 64x64. */
    val rectangle: Model get() = models("rectangle").single()

    private fun models(name: String) =
        ModelStore(listOf(File(folder, name))).list().filterIsInstance<ModelEntry.Usable>().map { it.model }

    /** What `anyir restore --with` this program makes of [photo]. */
    fun restored(model: Model): File = File(folder, "restored/${model.file.nameWithoutExtension}.png")

    /** What this program's look finds in [photo], in Python: float32, one statistic after the other. */
    fun look(model: Model): File = File(folder, "looks/${model.file.nameWithoutExtension}.f32")
}
