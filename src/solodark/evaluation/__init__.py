"""How good a master dark is: equivalent subs by the unbiased product, beside every rival."""

from solodark.evaluation.estimators import Estimator, MeanOfSubs, SubsEstimator, one_sub
from solodark.evaluation.residual import ResidualQuality
from solodark.evaluation.rivals import OneK, find_nearest_master, standard_rivals
from solodark.evaluation.series import SeriesSums, measure_series
from solodark.evaluation.star_effect import StarEffect
from solodark.evaluation.strata import STRATA, classify_pixels
from solodark.evaluation.table import Cell, EvaluationTable, Row, evaluate_series, tabulate
from solodark.evaluation.truth import Fold, held_out_folds, one_sub_variance, product_error

__all__ = [
    "STRATA",
    "Cell",
    "Estimator",
    "EvaluationTable",
    "Fold",
    "MeanOfSubs",
    "OneK",
    "ResidualQuality",
    "Row",
    "SeriesSums",
    "StarEffect",
    "SubsEstimator",
    "classify_pixels",
    "evaluate_series",
    "find_nearest_master",
    "held_out_folds",
    "measure_series",
    "one_sub",
    "one_sub_variance",
    "product_error",
    "standard_rivals",
    "tabulate",
]
