// Core Foundation's types, which Apple's Foundation has and Linux's lacks. On Apple's systems they are bridged classes;
// `x as CFURL` compiles for both.
import Foundation

// https://developer.apple.com/documentation/corefoundation/cfstring
public typealias CFString = String
// https://developer.apple.com/documentation/corefoundation/cfurl
public typealias CFURL = URL
// https://developer.apple.com/documentation/corefoundation/cfdata
public typealias CFData = Data
// https://developer.apple.com/documentation/corefoundation/cfarray
public typealias CFArray = [Any]
// https://developer.apple.com/documentation/corefoundation/cfdictionary
public typealias CFDictionary = [AnyHashable: Any]
