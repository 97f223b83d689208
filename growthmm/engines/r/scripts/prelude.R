# Shared by the programs beside it: results leave as JSON, warnings and messages with them.

json <- function(x) {
  if (is.null(x)) return("null")
  if (is.list(x)) {
    parts <- vapply(x, json, "")
    if (is.null(names(x))) return(paste0("[", paste(parts, collapse = ","), "]"))
    return(paste0("{", paste0(encodeString(names(x), quote = "\""), ":", parts, collapse = ","), "}"))
  }
  if (is.matrix(x)) return(json(lapply(seq_len(nrow(x)), function(i) x[i, ])))
  parts <- if (is.character(x)) quoted(x)
    else if (is.logical(x)) ifelse(is.na(x), "null", tolower(as.character(x)))
    else ifelse(is.finite(x), sprintf("%.17g", as.numeric(x)), "null")
  paste0("[", paste(parts, collapse = ","), "]")
}

quoted <- function(x) {
  x <- gsub("\\", "\\\\", iconv(x, to = "ASCII//TRANSLIT", sub = "?"), fixed = TRUE)
  x <- gsub("\"", "\\\"", x, fixed = TRUE)
  paste0("\"", gsub("[[:cntrl:]]+", " ", x), "\"")
}

# Runs `work`, and writes what it returns, what was said meanwhile, or the error that ended it.
report <- function(directory, work) {
  said <- character()
  keep <- function(condition, restart) {
    said <<- c(said, trimws(conditionMessage(condition)))
    invokeRestart(restart)
  }
  result <- tryCatch(
    withCallingHandlers(
      work(),
      warning = function(w) keep(w, "muffleWarning"),
      message = function(m) keep(m, "muffleMessage")
    ),
    error = function(e) list(error = conditionMessage(e))
  )
  result$said <- unique(said)
  if (!length(result$said)) result$said <- list()
  writeLines(json(result), file.path(directory, "result.json"))
}

arguments <- commandArgs(trailingOnly = TRUE)
directory <- arguments[1]
