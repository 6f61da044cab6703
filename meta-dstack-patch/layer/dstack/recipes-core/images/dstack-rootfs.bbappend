IMAGE_INSTALL:append = " kettle"
