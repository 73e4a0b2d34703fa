import AnyIRCore
import AnyIRState
import Foundation

/// Something is wrong with a photo or with saving it. ``notice`` is the sentence for it.
struct PhotoFault: OneSentence, Equatable {
    let notice: Notice

    init(_ notice: Notice) { self.notice = notice }

    var sentence: String { notice.sentence }
}

/// What is said of an error with a file: its own sentence, or that there is no space, or nothing better than `other`.
func notice(ofFile error: any Error, noSpace: Notice, other: Notice) -> Notice {
    if let fault = error as? PhotoFault { return fault.notice }
    return isNoSpace(error) ? noSpace : other
}
