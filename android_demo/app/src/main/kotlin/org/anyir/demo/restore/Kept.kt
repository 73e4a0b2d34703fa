package org.anyir.demo.restore

import android.net.Uri
import org.anyir.core.Need
import org.anyir.demo.photo.PhotoFormat
import org.anyir.demo.photo.PhotoInfo
import org.json.JSONArray
import org.json.JSONException
import org.json.JSONObject
import java.io.File
import java.io.FileOutputStream
import java.io.IOException
import java.util.UUID

/**
 * What outlives the process: the photo, whether it was being restored, and the result, in one folder.
 *
 * Every photo and result has a file name of its own, and `state.json`, written last and whole (beside, then renamed),
 * says which ones count. So whenever the process ends, what is found is one state, old or new.
 */
internal class Kept(private val folder: File) {
    private val state = File(folder, "state.json")

    /** Files that were made to be shared. */
    val shared = File(folder, ResultProvider.FOLDER)

    /** A name for the private copy of a photo. */
    fun newPhoto() = File(folder, "photo-${UUID.randomUUID()}")

    /** A name for a result. */
    fun newResult() = File(folder, "result-${UUID.randomUUID()}.png")

    /** The state that the last process left; [RestoreState.Idle] where there is none that can be read. */
    fun load(): RestoreState = try {
        val json = JSONObject(state.readText())
        val info = photo(json.getJSONObject("photo"))
        val done = json.optJSONObject("result")?.let(::result)
        when {
            !info.file.isFile -> RestoreState.Idle
            done != null && done.file.isFile -> RestoreState.Done(info, done)
            else -> RestoreState.Ready(info, interrupted = json.getBoolean("running"))
        }
    } catch (_: IOException) {
        RestoreState.Idle
    } catch (_: JSONException) {
        RestoreState.Idle
    } catch (_: IllegalArgumentException) { // a format that this version does not know
        RestoreState.Idle
    }

    /**
     * Keeps a photo, whether it is being restored, and its result if there is one; forgets all others.
     *
     * @throws IOException no space; what was kept before is still kept
     */
    fun keep(photo: PhotoInfo, running: Boolean, result: RestoredPhoto?) {
        val json = JSONObject().put("photo", json(photo)).put("running", running)
        if (result != null) json.put("result", json(result))
        folder.mkdirs()
        val part = File(folder, "state.json.part")
        FileOutputStream(part).use { output ->
            output.write(json.toString().toByteArray())
            output.fd.sync()
        }
        if (!part.renameTo(state)) throw IOException("state.json cannot be replaced")
        deleteBut(setOfNotNull(state, photo.file, result?.file))
    }

    /** Forgets the photo and its result. */
    fun clear() {
        state.delete()
        deleteBut(emptySet())
    }

    /** What was shared stays too, until the next is: another app may still read it. */
    private fun deleteBut(files: Set<File>) {
        folder.listFiles()?.forEach { if (it !in files && it != shared) it.deleteRecursively() }
    }

    private fun json(photo: PhotoInfo) = JSONObject()
        .put("file", photo.file.name)
        .put("uri", photo.uri.toString())
        .put("name", photo.name)
        .put("format", photo.format.name)
        .put("orientation", photo.orientation)
        .put("width", photo.width)
        .put("height", photo.height)
        .put("notes", JSONArray(photo.notes))

    private fun photo(json: JSONObject): PhotoInfo {
        val notes = json.getJSONArray("notes")
        return PhotoInfo(
            uri = Uri.parse(json.getString("uri")),
            name = json.getString("name"),
            file = File(folder, File(json.getString("file")).name),
            format = PhotoFormat.valueOf(json.getString("format")),
            orientation = json.getInt("orientation"),
            width = json.getInt("width"),
            height = json.getInt("height"),
            notes = List(notes.length()) { notes.getString(it) },
        )
    }

    private fun json(result: RestoredPhoto) = JSONObject()
        .put("file", result.file.name)
        .put("width", result.width)
        .put("height", result.height)
        .put("halfSize", result.halfSize)
        .put("model", result.model)
        .put("engine", result.engine)
        .put("accelerator", result.accelerator)
        .put("millis", result.millis)
        .put("need", json(result.need))
        .put("saved", result.saved)

    private fun result(json: JSONObject) = RestoredPhoto(
        file = File(folder, File(json.getString("file")).name),
        width = json.getInt("width"),
        height = json.getInt("height"),
        halfSize = json.getBoolean("halfSize"),
        model = json.getString("model"),
        engine = json.getString("engine"),
        accelerator = json.getString("accelerator"),
        millis = json.getLong("millis"),
        need = need(json.getJSONObject("need")),
        saved = json.getBoolean("saved"),
    )

    private fun json(need: Need) = JSONObject()
        .put("change", need.change)
        .put("brightness", need.brightness)
        .put("contrast", need.contrast)
        .put("detail", need.detail)

    private fun need(json: JSONObject) = Need(
        change = json.getDouble("change"),
        brightness = json.getDouble("brightness"),
        contrast = json.getDouble("contrast"),
        detail = json.getDouble("detail"),
    )
}
