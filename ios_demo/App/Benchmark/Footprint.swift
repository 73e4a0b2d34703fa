#if canImport(Darwin)
    // mach_task_self_ is a variable to Swift, though nothing ever changes it.
    @preconcurrency import Darwin
#endif

/// The process's memory as the system counts it when it decides what to end (`phys_footprint`), now and at most so far,
/// in bytes; nil where it cannot be read. The first branch was never
/// compiled on Linux.
func footprint() -> (now: Int, peak: Int)? {
    #if canImport(Darwin)
        var info = task_vm_info_data_t()
        var count = mach_msg_type_number_t(MemoryLayout<task_vm_info_data_t>.size / MemoryLayout<natural_t>.size)
        let status = withUnsafeMutablePointer(to: &info) { pointer in
            pointer.withMemoryRebound(to: integer_t.self, capacity: Int(count)) {
                task_info(mach_task_self_, task_flavor_t(TASK_VM_INFO), $0, &count)
            }
        }
        guard status == KERN_SUCCESS else { return nil }
        return (Int(info.phys_footprint), Int(info.ledger_phys_footprint_peak))
    #else
        return nil
    #endif
}
