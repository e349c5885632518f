"use strict";
// Every page can be read without this file; what stands here only saves a press or a wait.
