"""The paper's datasets as they lie on people's disks: found by their folders, paired by their names."""
