report(directory, function() {
  found <- lapply(arguments[-1], function(name) {
    tryCatch(as.character(packageVersion(name)), error = function(e) NULL)
  })
  names(found) <- arguments[-1]
  c(list(R = as.character(getRversion())), found)
})
