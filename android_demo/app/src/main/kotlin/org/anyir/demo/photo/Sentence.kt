package org.anyir.demo.photo

import android.content.res.Resources
import java.io.IOException

/**
 * One sentence for the screen, said in the phone's language by whoever shows it.
 *
 * @property id a string among the resources, or a plural, which goes by the first of the values
 * @property values what stands in it
 */
data class Sentence(val id: Int, val values: List<Any> = emptyList()) {
    fun text(resources: Resources): String {
        val filling = values.toTypedArray()
        return if (resources.getResourceTypeName(id) == "plurals") {
            resources.getQuantityString(id, values.first() as Int, *filling)
        } else {
            resources.getString(id, *filling)
        }
    }
}

/** A photo cannot be read, restored or saved; [sentence] says so on the screen. */
class PhotoException(val sentence: Sentence, cause: Throwable? = null) : IOException("$sentence", cause) {
    constructor(id: Int, cause: Throwable? = null) : this(Sentence(id), cause)
}
