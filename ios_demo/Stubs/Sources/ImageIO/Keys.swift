import Foundation

// https://developer.apple.com/documentation/imageio/kcgimagepropertyorientation
public let kCGImagePropertyOrientation: CFString = "Orientation"
// https://developer.apple.com/documentation/imageio/kcgimagepropertypixelwidth
public let kCGImagePropertyPixelWidth: CFString = "PixelWidth"
// https://developer.apple.com/documentation/imageio/kcgimagepropertypixelheight
public let kCGImagePropertyPixelHeight: CFString = "PixelHeight"
// https://developer.apple.com/documentation/imageio/kcgimagepropertydepth
public let kCGImagePropertyDepth: CFString = "Depth"
// https://developer.apple.com/documentation/imageio/kcgimagepropertyisfloat
public let kCGImagePropertyIsFloat: CFString = "IsFloat"
// https://developer.apple.com/documentation/imageio/kcgimagepropertyisindexed
public let kCGImagePropertyIsIndexed: CFString = "IsIndexed"
// https://developer.apple.com/documentation/imageio/kcgimagepropertycolormodel
public let kCGImagePropertyColorModel: CFString = "ColorModel"
// https://developer.apple.com/documentation/imageio/kcgimagepropertycolormodelrgb
public let kCGImagePropertyColorModelRGB: CFString = "RGB"
// https://developer.apple.com/documentation/imageio/kcgimagepropertycolormodelgray
public let kCGImagePropertyColorModelGray: CFString = "Gray"
// https://developer.apple.com/documentation/imageio/kcgimagepropertytiffdictionary
public let kCGImagePropertyTIFFDictionary: CFString = "{TIFF}"
// https://developer.apple.com/documentation/imageio/kcgimagepropertytifforientation
public let kCGImagePropertyTIFFOrientation: CFString = "Orientation"
// https://developer.apple.com/documentation/imageio/kcgimagepropertyexifdictionary
public let kCGImagePropertyExifDictionary: CFString = "{Exif}"
// https://developer.apple.com/documentation/imageio/kcgimagepropertyexifpixelxdimension
public let kCGImagePropertyExifPixelXDimension: CFString = "PixelXDimension"
// https://developer.apple.com/documentation/imageio/kcgimagepropertyexifpixelydimension
public let kCGImagePropertyExifPixelYDimension: CFString = "PixelYDimension"
// https://developer.apple.com/documentation/imageio/kcgimageauxiliarydatatypehdrgainmap
public let kCGImageAuxiliaryDataTypeHDRGainMap: CFString = "kCGImageAuxiliaryDataTypeHDRGainMap"
// https://developer.apple.com/documentation/imageio/kcgimageauxiliarydatatypeisogainmap
public let kCGImageAuxiliaryDataTypeISOGainMap: CFString = "kCGImageAuxiliaryDataTypeISOGainMap"
// https://developer.apple.com/documentation/imageio/kcgimagesourcecreatethumbnailfromimagealways
public let kCGImageSourceCreateThumbnailFromImageAlways: CFString = "kCGImageSourceCreateThumbnailFromImageAlways"
// https://developer.apple.com/documentation/imageio/kcgimagesourcecreatethumbnailwithtransform
public let kCGImageSourceCreateThumbnailWithTransform: CFString = "kCGImageSourceCreateThumbnailWithTransform"
// https://developer.apple.com/documentation/imageio/kcgimagesourcethumbnailmaxpixelsize
public let kCGImageSourceThumbnailMaxPixelSize: CFString = "kCGImageSourceThumbnailMaxPixelSize"
// https://developer.apple.com/documentation/imageio/kcgimagedestinationlossycompressionquality
public let kCGImageDestinationLossyCompressionQuality: CFString = "kCGImageDestinationLossyCompressionQuality"
