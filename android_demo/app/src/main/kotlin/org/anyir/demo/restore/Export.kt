package org.anyir.demo.restore

import android.net.Uri

/** What became of a result that was to be saved or shared. */
sealed interface Export {
    /**
     * @property uri of the new picture
     * @property name its file name
     * @property mimeType its type
     * @property place where people find it, or null for a file that is only shared
     * @property notes sentences about what it does not have
     */
    class Made(
        val uri: Uri,
        val name: String,
        val mimeType: String,
        val place: String?,
        val notes: List<String>,
    ) : Export

    /** Nothing was written. @property message why, in one sentence */
    class Refused(val message: String) : Export
}
