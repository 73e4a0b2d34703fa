package org.anyir.core

import java.io.Closeable

/** A photo that is read by regions, in any order, so that it never lies in memory as a whole. */
interface PhotoSource : Closeable {
    /** In pixels, at least 1. */
    val width: Int

    /** In pixels, at least 1. */
    val height: Int

    /**
     * Whether it is known that the three colours of every pixel are equal, as the photo has but one. So are the
     * result's then: the mean of what the model gives. Where it is not known, [PhotoRestorer] finds it out.
     */
    val grey: Boolean get() = false

    /**
     * Reads a region row by row.
     *
     * @param region inside the photo
     * @param argb receives region.width x region.height pixels from index 0, alpha not premultiplied
     */
    fun read(region: Region, argb: IntArray)
}

/** Takes a restored photo row by row, from top to bottom, each row once. */
fun interface PhotoSink {
    /**
     * Takes the next rows.
     *
     * @param y the first row
     * @param rows how many
     * @param argb rows x width pixels from index 0, alpha not premultiplied; reused by the caller afterwards
     */
    fun writeRows(y: Int, rows: Int, argb: IntArray)
}
