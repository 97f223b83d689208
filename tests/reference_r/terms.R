# F tests of terms, types I to III, by lmerTest (Satterthwaite) and pbkrtest (Kenward-Roger).
# Usage: Rscript terms.R FOLDER_OF_REFERENCE_DATA > terms.json
suppressPackageStartupMessages({library(lmerTest); library(pbkrtest); library(jsonlite)})
folder <- commandArgs(TRUE)[1]
missing <- read.csv(file.path(folder, "A08_gpa_missing_long.csv"))
missing$job <- factor(c("clerk", "baker", "miner", "baker")[missing$student %% 4 + 1])
missing$sex <- factor(ifelse(missing$sexmale == 1, "male", "female"))
few <- subset(missing, student <= 48)
few$p1 <- poly(few$occasion, 2)[, 1]
few$p2 <- poly(few$occasion, 2)[, 2]
sleep <- read.csv(file.path(folder, "B_sleepstudy_long.csv"))
tight <- lmerControl(optCtrl = list(xtol_abs = 1e-12, ftol_abs = 1e-14, maxeval = 1e5))
table <- function(fit, type, ddf) {
  found <- anova(fit, type = type, ddf = ddf)
  setNames(lapply(seq_len(nrow(found)), function(k) list(df = found$NumDF[k], df_denominator = found$DenDF[k],
    statistic = found$`F value`[k], p_value = found$`Pr(>F)`[k])), trimws(rownames(found)))
}
one <- function(formula, data) {
  fit <- lmer(formula, data, REML = TRUE, control = tight)
  both <- function(ddf) list(I = table(fit, 1, ddf), II = table(fit, 2, ddf), III = table(fit, 3, ddf))
  list(satterthwaite = both("Satterthwaite"), `kenward-roger` = both("Kenward-Roger"))
}
out <- list(
  three_way = one(gpa ~ occasion * sex * job + (occasion | student), few),
  categories = one(gpa ~ factor(occasion) * sex + job + (1 | student), few),
  sums = one(gpa ~ occasion * C(sex, contr.sum) * C(job, contr.sum) + (occasion | student), few),
  helmert = one(gpa ~ C(job, contr.helmert) * sex + occasion + (occasion | student), few),
  curve = one(gpa ~ poly(occasion, 2) * job + sex + (1 | student), few),
  curve_by_columns = one(gpa ~ p1 + p2 + job + sex + p1:job + p2:job + (1 | student), few),
  marginal_left_out = one(gpa ~ occasion + sex + occasion:job + (1 | student), few),
  sleep = one(Reaction ~ Days + I(Days^2) + (Days | Subject), sleep),
  versions = list(R = R.version.string, lmerTest = as.character(packageVersion("lmerTest")),
    pbkrtest = as.character(packageVersion("pbkrtest")), lme4 = as.character(packageVersion("lme4")))
)
cat(toJSON(out, auto_unbox = TRUE, digits = 15, pretty = 1), "\n")
