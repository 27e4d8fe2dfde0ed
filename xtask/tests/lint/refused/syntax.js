"use strict";
document.addEventListener("click", class { static { document.title = "" } });
