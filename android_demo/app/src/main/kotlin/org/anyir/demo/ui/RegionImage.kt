package org.anyir.demo.ui

import android.graphics.Bitmap
import android.graphics.Rect
import java.io.Closeable

/** A picture that is decoded part by part, upright. Calls come from one background thread. */
interface RegionImage : Closeable {
    /** In pixels, upright. */
    val width: Int
    val height: Int

    /**
     * Decodes a part.
     *
     * @param region inside the picture, in its pixels
     * @param sample 1, 2, 4, ...: one pixel is made of sample x sample
     * @throws java.io.IOException the file cannot be read
     */
    fun decode(region: Rect, sample: Int): Bitmap
}
