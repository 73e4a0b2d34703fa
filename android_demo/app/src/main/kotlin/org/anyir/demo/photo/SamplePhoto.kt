package org.anyir.demo.photo

import android.content.Context
import android.net.Uri
import org.anyir.demo.R

/** The photo that comes with the app, as any other app would name it. */
fun sampleUri(context: Context): Uri = Uri.parse("android.resource://${context.packageName}/${R.raw.sample}")
