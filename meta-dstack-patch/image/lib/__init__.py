"""The parts of image/build: packages, programs, archive, kernel image, disk. Python's own library is all that they need."""
